#!/usr/bin/python3
"""The torture test's judgement: each kind of damage is found, and what is allowed is not."""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "clients"), str(HERE.parent)]

from model import Box, Copy, Message  # noqa: E402
from verify import Found, check_copies  # noqa: E402

MID = Message.new_id(1, 1)


class Collected:
    def __init__(self):
        self.found = []

    def add(self, text):
        self.found.append(text)


def found(flags="", octets=None):
    return Found(f"1 (UID 1 FLAGS ({flags}) BODY[] {{1}}".encode(), octets or Message.octets(MID))


class Judgement(unittest.TestCase):
    def setUp(self):
        self.inbox, self.other = Box("user1", "INBOX"), Box("user1", "Other")

    def judge(self, copy, inbox=None, other=None):
        violations = Collected()
        contents = {self.inbox: {m.mid: m for m in [inbox] if m},
                    self.other: {m.mid: m for m in [other] if m}}
        check_copies([copy], contents, violations)
        return violations.found

    def test_a_message_in_its_place_is_right(self):
        self.assertEqual(self.judge(Copy(MID, [self.inbox]), inbox=found()), [])

    def test_a_lost_message_is_found(self):
        self.assertEqual(len(self.judge(Copy(MID, [self.inbox]))), 1)

    def test_a_message_that_may_be_missing_is_right_either_way(self):
        self.assertEqual(self.judge(Copy(MID, [None, self.inbox])), [])
        self.assertEqual(self.judge(Copy(MID, [None, self.inbox]), inbox=found()), [])

    def test_half_a_move_is_found(self):
        both = Copy(MID, [self.inbox, self.other])
        self.assertEqual(self.judge(both, inbox=found()), [])
        self.assertEqual(len(self.judge(both, inbox=found(), other=found())), 1)
        self.assertEqual(len(self.judge(both)), 1)

    def test_an_expunged_message_that_came_back_is_found(self):
        self.assertEqual(len(self.judge(Copy(MID, [None]), inbox=found())), 1)

    def test_changed_octets_are_found(self):
        torn = found(octets=Message.octets(MID)[:-4])
        self.assertEqual(len(self.judge(Copy(MID, [self.inbox]), inbox=torn)), 1)

    def test_lost_and_unwanted_flags_are_found_unknown_ones_are_not(self):
        for value, wrong in ((True, 1), (False, 0), (None, 0)):
            copy = Copy(MID, [self.inbox], flags={"\\Flagged": value})
            self.assertEqual(len(self.judge(copy, inbox=found())), wrong)
        copy = Copy(MID, [self.inbox], flags={"\\Flagged": False})
        self.assertEqual(len(self.judge(copy, inbox=found("\\Flagged"))), 1)

    def test_a_uid_that_is_given_twice_and_a_falling_uidnext_are_found(self):
        violations = Collected()
        self.inbox.note_uid(7, MID, violations)
        self.inbox.note_uid(7, "<other@example.net>", violations)
        self.inbox.note_open(1, 20, 1, violations)
        self.inbox.note_open(1, 19, 20, violations)
        self.inbox.note_open(2, 20, 20, violations)
        self.inbox.note_open(2, 20, 1, violations)
        self.inbox.note_new_uid(18, "<new@example.net>", 20, violations)
        self.assertEqual(len(violations.found), 4)


if __name__ == "__main__":
    unittest.main()
