"""What the server has acknowledged, and what it may have done without our hearing of it.

A command whose answer was lost leaves two states allowed. What it concerned is then left alone
("loose") until the end, when either state is right and everything else is a violation.
"""

import threading
import time

from harness import make_message


class Violations:
    """What was found wrong; filled by all threads."""

    def __init__(self):
        self.found = []
        self._lock = threading.Lock()

    def add(self, text):
        with self._lock:
            self.found.append(text)
            print(f"VIOLATION {text}", flush=True)


class Box:
    """A mailbox through all its names. `parent`: its name is the parent's and `/leaf`."""

    def __init__(self, user, name, parent=None):
        self.user = user
        self.names = [name]  # two while the answer to a RENAME is unknown
        self.parent = parent
        self.maybe_absent = False  # the answer to its CREATE is unknown
        self.uidvalidity = None
        self.uidnext = 1
        self.uids = {}  # uid -> message id, for ever
        self._lock = threading.Lock()

    def possible_names(self):
        if self.parent is None:
            return list(self.names)
        return [f"{name}/{self.names[0]}" for name in self.parent.possible_names()]

    def settled(self):
        return len(self.possible_names()) == 1 and not self.maybe_absent

    @property
    def name(self):
        return self.possible_names()[0]

    def note_open(self, uidvalidity, uidnext, uidnext_before, violations):
        """A SELECT said so. UIDVALIDITY may never change, UIDNEXT never fall.

        `uidnext_before`: what had been told before the SELECT was sent. A higher one that another
        client was told meanwhile proves nothing.
        """
        with self._lock:
            if self.uidvalidity not in (None, uidvalidity):
                violations.add(f"{self.name}: uidvalidity {self.uidvalidity} became {uidvalidity}")
            if uidnext < uidnext_before:
                violations.add(f"{self.name}: uidnext fell from {uidnext_before} to {uidnext}")
            self.uidvalidity = uidvalidity
            self.uidnext = max(self.uidnext, uidnext)

    def note_uid(self, uid, mid, violations):
        """`uid` was seen to be message `mid`."""
        with self._lock:
            if self.uids.setdefault(uid, mid) != mid:
                violations.add(f"{self.name}: uid {uid} was {self.uids[uid]} and is now {mid}")

    def note_new_uid(self, uid, mid, uidnext_before, violations):
        """`uid` was given to `mid` after UIDNEXT had been `uidnext_before`."""
        if uid < uidnext_before:
            violations.add(f"{self.name}: new uid {uid} below uidnext {uidnext_before}")
        self.note_uid(uid, mid, violations)


class Copy:
    """One copy of a message: the boxes that it may be in (None: gone, or never made) and flags."""

    def __init__(self, mid, where, delivered=False, flags=None):
        self.mid = mid
        self.where = where
        self.delivered = delivered  # by LMTP: trace header fields stand in front
        self.flags = dict(flags or {})  # flag -> True, False, or None (unknown)
        self.uid = None
        self.loose = False
        self.flag_times = {}  # flag -> when its STORE was acknowledged

    def acknowledge_flag(self, flag, value):
        self.flags[flag] = value
        self.flag_times[flag] = time.monotonic()

    def forgive_since(self, moment):
        """Flags acknowledged after `moment` may be lost with the power.

        All of a message may be that nobody acknowledged: it is taken in from its file alone.
        """
        if None in self.where:
            self.flags = dict.fromkeys(self.flags)
        for flag, when in self.flag_times.items():
            if when > moment:
                self.flags[flag] = None

    def usable(self):
        return (not self.loose and len(self.where) == 1 and self.where[0] is not None
                and self.where[0].settled())

    @property
    def box(self):
        return self.where[0]


class Message:
    """Makes the octets of a message from its id, so that they need not be kept."""

    @staticmethod
    def octets(mid):
        client, number = mid.strip("<>").split("@")[0].split(".")
        size = (int(number) * 7919) % 12000
        body = make_message(int(number), size=size, subject=f"Torture{client}")
        return body.replace(f"<{number}.torture{client}@example.net>".encode(), mid.encode(), 1)

    @staticmethod
    def new_id(client, number):
        return f"<{client}.{number}@torture.example.net>"
