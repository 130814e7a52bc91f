"""One client of the torture test: random commands, one at a time, each answer written down."""

import imaplib
import random
import smtplib
import time

from harness import ImapClient, LmtpClient
from model import Box, Copy, Message

FLAGS = ("\\Flagged", "\\Seen", "\\Answered", "$Work", "$Later")
LOST = (OSError, EOFError, imaplib.IMAP4.error, smtplib.SMTPException)
TIMEOUT = 20  # seconds; a pause of more than 5 is a violation anyhow


class Refused(Exception):
    """The server answered NO or 4xx: try again later."""


def expand(uid_set):
    """"3:5,9" as [3, 4, 5, 9]."""
    uids = []
    for part in uid_set.split(","):
        first, _, last = part.partition(":")
        uids += range(int(first), int(last or first) + 1)
    return uids


class Worker:
    """`run` works until `stop` is set, in a thread of its own, and may be called again later.

    `shared`: boxes that another client uses too; messages belong to the client that made them.
    """

    def __init__(self, number, server, user, shared, violations, stop):
        self.number, self.server, self.user = number, server, user
        self.shared, self.violations, self.stop_event = shared, violations, stop
        self.random = random.Random(number)
        self.boxes, self.copies = list(shared), []
        self.imap = self.lmtp = self.selected = None
        self.made = 0
        self.counts = {"done": 0, "refused": 0, "lost": 0}
        self.longest_pause = 0.0
        self.operations = [(self.deliver, 5), (self.append, 5), (self.store, 6), (self.copy, 3),
                           (self.move, 3), (self.expunge, 2), (self.create, 1), (self.rename, 1)]

    def run(self):
        since = time.monotonic()  # the last success, or the start of the first attempt after it
        while not self.stop_event.is_set():
            choice = self.random.choices(*zip(*self.operations))[0]
            if self.attempt(choice):
                self.longest_pause = max(self.longest_pause, time.monotonic() - since)
                since = time.monotonic()
        self.longest_pause = max(self.longest_pause, time.monotonic() - since)
        self.disconnect()

    def attempt(self, operation):
        """True when the server did what was asked."""
        try:
            operation()
            self.counts["done"] += 1
            return True
        except Refused:
            self.counts["refused"] += 1
        except LOST:
            self.counts["lost"] += 1
            self.disconnect()
        self.stop_event.wait(0.01)  # no busy loop while a daemon restarts
        return False

    # Connections

    def connection(self):
        if self.imap is None:
            self.selected = None
            self.imap = ImapClient(self.server, self.user)
            self.imap.sock.settimeout(TIMEOUT)
        return self.imap

    def disconnect(self):
        for client in (self.imap, self.lmtp):
            try:
                if client is not None:
                    (client.shutdown if client is self.imap else client.close)()
            except OSError:
                pass
        self.imap = self.lmtp = self.selected = None

    def checked(self, answer):
        if answer[0] != "OK":
            raise Refused(answer)
        return answer[1]

    def select(self, box):
        imap = self.connection()
        if self.selected is not box:
            self.selected, before = None, box.uidnext
            self.checked(imap.select(f'"{box.name}"'))
            self.selected = box
            box.note_open(int(imap.response("UIDVALIDITY")[1][0]),
                          int(imap.response("UIDNEXT")[1][0]), before, self.violations)
        return imap

    # Choosing

    def new_id(self):
        self.made += 1
        return Message.new_id(self.number, self.made)

    def any_box(self):
        return self.random.choice([box for box in self.boxes if box.settled()])

    def some_copies(self, most):
        """Up to `most` usable copies of one box; Refused when there are none."""
        usable = [copy for copy in self.copies if copy.usable()]
        if not usable:
            raise Refused("nothing to work on")
        box = self.random.choice(usable).box
        here = [copy for copy in usable if copy.box is box]
        return self.random.sample(here, min(len(here), self.random.randint(1, most)))

    def target_for(self, copies):
        """A box that none of `copies`' messages may be in already."""
        mids = {copy.mid for copy in copies}
        taken = {id(box) for copy in self.copies if copy.mid in mids for box in copy.where}
        free = [box for box in self.boxes if box.settled() and id(box) not in taken]
        if not free:
            raise Refused("no free box")
        return self.random.choice(free)

    def uid_of(self, copy):
        """Looks a message up whose uid no answer has told."""
        imap = self.select(copy.box)
        if copy.uid is None:
            self.checked(imap.noop())
            found = self.checked(imap.uid("SEARCH", "HEADER", "Message-ID", f'"{copy.mid}"'))
            uids = found[0].split() if found and found[0] else []
            if len(uids) != 1:
                copy.loose = True
                self.violations.add(f"{copy.mid} is {len(uids)} times in {copy.box.name}")
                raise Refused("lost")
            copy.uid = int(uids[0])
            copy.box.note_uid(copy.uid, copy.mid, self.violations)
        return copy.uid

    def uids_of(self, copies):
        return ",".join(str(self.uid_of(copy)) for copy in copies)

    # Operations. Each allows both outcomes before it sends, and settles when it hears OK.

    def deliver(self):
        inbox = self.shared[0]
        if self.lmtp is None:
            self.lmtp = LmtpClient(self.server)
            self.lmtp.sock.settimeout(TIMEOUT)
        copy = Copy(self.new_id(), [None, inbox], delivered=True)
        self.copies.append(copy)
        self.lmtp.sendmail("torture@example.net", [self.user], Message.octets(copy.mid))
        copy.where = [inbox]

    def append(self):
        box = self.any_box()
        imap = self.connection()
        flags = self.random.sample(FLAGS, self.random.randint(0, 2))
        copy = Copy(self.new_id(), [None, box], flags={flag: True for flag in flags})
        self.copies.append(copy)
        before = box.uidnext
        self.checked(imap.append(f'"{box.name}"', f"({' '.join(flags)})", None,
                                 Message.octets(copy.mid)))
        copy.where = [box]
        if code := imap.response("APPENDUID")[1][-1]:
            copy.uid = int(code.split()[1])
            box.note_new_uid(copy.uid, copy.mid, before, self.violations)

    def store(self):
        copies = self.some_copies(5)
        uids, imap = self.uids_of(copies), self.select(copies[0].box)
        flag, value = self.random.choice(FLAGS), self.random.random() < 0.7
        known = [copy.flags.get(flag, False) for copy in copies]
        for copy, old in zip(copies, known):
            copy.flags[flag] = value if old is value else None
        self.checked(imap.uid("STORE", uids, "+FLAGS" if value else "-FLAGS", f"({flag})"))
        for copy in copies:
            copy.acknowledge_flag(flag, value)

    def copy(self):
        copies = self.some_copies(4)
        target, uids = self.target_for(copies), self.uids_of(copies)
        imap = self.select(copies[0].box)
        new = [Copy(copy.mid, [None, target], copy.delivered, copy.flags) for copy in copies]
        self.copies += new
        before = target.uidnext
        self.checked(imap.uid("COPY", uids, f'"{target.name}"'))
        for copy in new:
            copy.where = [target]
        self.take_copyuid(imap, copies, new, target, before)

    def move(self):
        copies = self.some_copies(4)
        target, uids = self.target_for(copies), self.uids_of(copies)
        imap, source = self.select(copies[0].box), copies[0].box
        for copy in copies:
            copy.where, copy.loose = [source, target], True
        before = target.uidnext
        self.checked(imap.uid("MOVE", uids, f'"{target.name}"'))
        moved = [Copy(copy.mid, [target], copy.delivered, copy.flags) for copy in copies]
        self.take_copyuid(imap, copies, moved, target, before)
        self.copies = [copy for copy in self.copies if copy not in copies] + moved

    def take_copyuid(self, imap, sources, targets, box, uidnext_before):
        """Notes the uids that COPYUID (RFC 4315 §3) tells for `targets`."""
        code = imap.response("COPYUID")[1][-1]
        if not code:
            return
        _, old, new = code.decode().split()
        told = dict(zip(expand(old), expand(new)))
        for source, target in zip(sources, targets):
            target.uid = told[source.uid]
            box.note_new_uid(target.uid, target.mid, uidnext_before, self.violations)

    def expunge(self):
        copies = self.some_copies(3)
        uids, imap = self.uids_of(copies), self.select(copies[0].box)
        for copy in copies:
            copy.flags["\\Deleted"], copy.loose = None, True
        self.checked(imap.uid("STORE", uids, "+FLAGS", "(\\Deleted)"))
        box = copies[0].box
        for copy in copies:
            copy.where = [box, None]
        self.checked(imap.uid("EXPUNGE", uids))
        for copy in copies:
            copy.where = [None]

    def create(self):
        if sum(box.settled() for box in self.boxes) > 8:
            raise Refused("enough boxes")
        imap = self.connection()
        own = [box for box in self.boxes if box not in self.shared and box.settled()
               and box.parent is None]
        parent = self.random.choice(own) if own and self.random.random() < 0.5 else None
        self.made += 1
        box = Box(self.user, f"box{self.number}-{self.made}", parent)
        box.maybe_absent = True
        self.boxes.append(box)
        self.checked(imap.create(f'"{box.name}"'))
        box.maybe_absent = False

    def rename(self):
        own = [box for box in self.boxes if box not in self.shared and box.settled()
               and box.parent is None]
        if not own:
            raise Refused("no box to rename")
        box, imap = self.random.choice(own), self.connection()
        if self.selected is not None:
            self.selected = None
            self.checked(imap.unselect())
        old = box.name
        self.made += 1
        new = f"name{self.number}-{self.made}"
        box.names = [old, new]
        self.checked(imap.rename(f'"{old}"', f'"{new}"'))
        box.names = [new]
