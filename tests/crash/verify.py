"""Reads every mailbox of the quiet server and compares it with what was acknowledged."""

import imaplib
import re

from harness import ImapClient
from model import Message


class Found:
    """A message as the server shows it."""

    def __init__(self, line, octets):
        self.uid = int(re.search(rb"UID (\d+)", line).group(1))
        self.flags = {flag.decode() for flag in imaplib.ParseFlags(line)} - {"\\Recent"}
        self.octets = octets
        header = octets.split(b"\r\n\r\n", 1)[0]
        mid = re.search(rb"^Message-ID: (<\S+>)", header, re.M)
        self.mid = mid.group(1).decode() if mid else f"no Message-ID, uid {self.uid}"


def read_box(imap, box, name, violations):
    """{message id: Found} of one mailbox."""
    status, answer = imap.select(f'"{name}"', readonly=True)
    if status != "OK":
        violations.add(f"{name} can't be opened: {answer}")
        return {}
    box.note_open(int(imap.response("UIDVALIDITY")[1][0]), int(imap.response("UIDNEXT")[1][0]),
                  box.uidnext, violations)
    found = {}
    answer = imap.ok(imap.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])"))
    for part in answer:
        if not isinstance(part, tuple):
            continue
        message = Found(part[0], part[1])
        if message.mid in found:
            violations.add(f"{name} holds {message.mid} twice")
        found[message.mid] = message
        box.note_uid(message.uid, message.mid, violations)
    return found


def read_user(server, user, boxes, violations):
    """{box: {message id: Found}}; a mailbox missing or under two names is a violation."""
    contents = {}
    with ImapClient(server, user) as imap:
        lines = imap.ok(imap.list())
        names = {re.sub(rb'.*"/" ', b"", line).decode().strip('"') for line in lines if line}
        for box in boxes:
            present = [name for name in box.possible_names() if name in names]
            maybe_absent = box.maybe_absent or (box.parent and box.parent.maybe_absent)
            if len(present) != 1 and not (maybe_absent and not present):
                violations.add(f"{user}: {box.possible_names()}: {len(present)} of these exist")
            contents[box] = read_box(imap, box, present[0], violations) if present else {}
    return contents


def check_message(copy, box, found, violations):
    """Octets and flags of a message that is where it may be."""
    original = Message.octets(copy.mid)
    right = found.octets.endswith(original) if copy.delivered else found.octets == original
    if not right:
        violations.add(f"{box.name}: {copy.mid} isn't byte-exact ({len(found.octets)} octets)")
    for flag, value in copy.flags.items():
        if value is not None and value != (flag in found.flags):
            violations.add(f"{box.name}: {copy.mid}: {flag} should be {value}")


def check_copies(copies, contents, violations):
    """Each copy is in exactly one of the boxes that it may be in; nothing else is there."""
    explained = set()
    for copy in copies:
        boxes = [box for box in copy.where if box is not None]
        holding = [box for box in boxes if copy.mid in contents[box]]
        explained.update((box, copy.mid) for box in holding)
        if len(holding) > 1 or (not holding and None not in copy.where):
            violations.add(f"{copy.mid} is in {len(holding)} of {[box.name for box in boxes]}")
        for box in holding:
            check_message(copy, box, contents[box][copy.mid], violations)
    for box, messages in contents.items():
        for mid in messages:
            if (box, mid) not in explained:
                violations.add(f"{box.name} holds {mid}, which should not be there")


def verify(server, workers, violations):
    """Compares the whole server with what all workers wrote down; returns messages seen."""
    contents = {}
    for user in sorted({worker.user for worker in workers}):
        boxes = {box for worker in workers if worker.user == user for box in worker.boxes}
        contents.update(read_user(server, user, boxes, violations))
    check_copies([copy for worker in workers for copy in worker.copies], contents, violations)
    return sum(len(messages) for messages in contents.values())


def check(server, violations):
    """`postern check`, online, where the server is ours."""
    if server.name == "postern":
        status, output = server.check()
        if status != 0:
            violations.add(f"postern check: exit {status}\n{output}")
