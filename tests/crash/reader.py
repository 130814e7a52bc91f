"""A client that reads other users' mailboxes, where its \\Seen is nobody else's."""

import re

from harness import ImapClient
from model import Box
from worker import Refused, Worker


class Reader(Worker):
    """Marks messages of mailboxes that were shared with it; `marks`: box -> uid -> seen, not seen, or
    None where the answer was lost."""

    def __init__(self, number, server, user, owners, violations, stop):
        boxes = [Box(user, f"Other Users/{owner}/Common") for owner in owners]
        super().__init__(number, server, user, boxes, violations, stop)
        self.marks = {box: {} for box in boxes}
        self.operations = [(self.mark, 1)]

    def mark(self):
        box = self.random.choice(self.boxes)
        imap, marks = self.select(box), self.marks[box]
        self.checked(imap.noop())
        there = self.checked(imap.uid("SEARCH", "ALL"))[0].split()
        if not there:
            raise Refused("nothing to read")
        uids = self.random.sample(there, min(len(there), self.random.randint(1, 5)))
        seen = self.random.random() < 0.7
        for uid in map(int, uids):
            marks[uid] = seen if marks.get(uid, False) is seen else None
        self.checked(imap.uid("STORE", b",".join(uids).decode(),
                              "+FLAGS" if seen else "-FLAGS", "(\\Seen)"))
        marks.update((int(uid), seen) for uid in uids)

    def check_marks(self):
        """What was acknowledged is there; a message that it never marked isn't seen."""
        with ImapClient(self.server, self.user) as imap:
            for box, marks in self.marks.items():
                imap.ok(imap.select(f'"{box.name}"', readonly=True))
                for line in imap.ok(imap.uid("FETCH", "1:*", "(FLAGS)")):
                    self.check_mark(box, marks, line)

    def check_mark(self, box, marks, line):
        match = re.search(rb"UID (\d+)", line) if line else None
        if match is None:
            return
        uid = int(match.group(1))
        seen = marks.get(uid, False)
        if seen is not None and seen != (b"\\Seen" in line):
            self.violations.add(f"{self.user}: {box.name}: uid {uid}: \\Seen should be {seen}")


def make_reader(server, number, users, violations, stop):
    """The last user reads what the others share with it."""
    *owners, reader = [f"user{n}" for n in range(1, users + 1)]
    for owner in owners:
        with ImapClient(server, owner) as imap:
            imap.ok(imap.setacl("Common", reader, "lrs"))
    return Reader(number, server, reader, owners, violations, stop)
