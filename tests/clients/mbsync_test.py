#!/usr/bin/python3
"""mbsync (isync): two-way synchronisation with a Maildir, and two of them on one mailbox."""

import shutil

import harness
from harness import make_message, message_id

CONFIG = """
IMAPAccount live
Host {host}
Port {port}
User {user}
Pass pass
SSLType None
AuthMechs LOGIN

IMAPStore far
Account live

MaildirStore near
Path {home}/{replica}/
Inbox {home}/{replica}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns INBOX Extra
Create Both
Expunge Both
Sync All
SyncState *
"""


class Mbsync(harness.ClientTest):
    def replica(self, user, name):
        """Makes an empty replica; its name is what `sync` takes."""
        (self.home / name).mkdir()
        self.write(f"{name}.rc", CONFIG.format(host=self.server.host, port=self.server.imap_port,
                                               user=user, home=self.home, replica=name))
        return name

    def sync(self, replica):
        harness.run(["mbsync", "-c", self.home / f"{replica}.rc", "all"])

    def files(self, replica, mailbox="INBOX"):
        folder = self.home / replica / mailbox
        return [path for sub in ("cur", "new") for path in (folder / sub).glob("*")]

    def ids(self, replica, mailbox="INBOX"):
        """Message-IDs in the replica; one that is there twice fails the test."""
        found = [message_id(path.read_bytes().replace(b"\n", b"\r\n"))
                 for path in self.files(replica, mailbox)]
        self.assertEqual(len(found), len(set(found)), f"doubled in {replica}")
        return set(found)

    def add_file(self, replica, message, mailbox="INBOX"):
        name = f"{abs(hash(message))}.local"
        (self.home / replica / mailbox / "new" / name).write_bytes(message.replace(b"\r\n", b"\n"))

    def test_mail_goes_both_ways(self):
        user = self.new_user()
        self.deliver(user, *[make_message(n) for n in range(5)])
        here = self.replica(user, "here")
        self.sync(here)
        self.assertEqual(len(self.ids(here)), 5)
        self.add_file(here, make_message(77))
        self.sync(here)
        self.assertIn(b"<77.test@example.net>", self.imap(user).bodies())

    def test_flags_go_both_ways(self):
        user = self.new_user()
        self.deliver(user, make_message(1), make_message(2))
        here = self.replica(user, "here")
        self.sync(here)
        client = self.imap(user)
        client.choose()
        one, two = client.uids()
        client.store_flags(one, "+FLAGS", "\\Flagged")
        path = next(p for p in self.files(here) if b"Test 2" in p.read_bytes())
        shutil.move(path, self.home / here / "INBOX" / "cur" / (path.name.split(":")[0] + ":2,RS"))
        self.sync(here)
        client.ok(client.noop())
        self.assertTrue({"\\Answered", "\\Seen"} <= client.flags(two), client.flags(two))
        flagged = next(p for p in self.files(here) if b"Test 1" in p.read_bytes())
        self.assertIn("F", flagged.name.split(":2,")[1])

    def test_expunges_go_both_ways(self):
        user = self.new_user()
        self.deliver(user, *[make_message(n) for n in range(4)])
        here = self.replica(user, "here")
        self.sync(here)
        next(p for p in self.files(here) if b"Test 0" in p.read_bytes()).unlink()
        client = self.imap(user)
        client.choose()
        client.store_flags(client.uids()[3], "+FLAGS", "\\Deleted")
        client.ok(client.expunge())
        self.sync(here)
        self.assertEqual(self.ids(here), {b"<1.test@example.net>", b"<2.test@example.net>"})
        self.assertEqual(set(client.bodies()), self.ids(here))

    def test_a_new_mailbox_is_made_at_the_other_side(self):
        user = self.new_user()
        client = self.imap(user)
        client.ok(client.create("Extra"))
        client.add("Extra", make_message(5))
        here = self.replica(user, "here")
        self.sync(here)
        self.assertEqual(self.ids(here, "Extra"), {b"<5.test@example.net>"})

    def test_two_replicas_converge_while_mail_arrives(self):
        user = self.new_user()
        left, right = self.replica(user, "left"), self.replica(user, "right")
        expected = set()
        for number in range(8):
            replica = (left, right)[number % 2]
            delivered = make_message(number, subject="Delivered")
            self.deliver(user, delivered)
            self.sync(replica)
            written = make_message(number, subject="Written")
            self.add_file(replica, written)
            expected |= {message_id(delivered), message_id(written)}
        victim = next(p for p in self.files(left) if b"Subject: Delivered 0" in p.read_bytes())
        victim.unlink()
        expected.remove(b"<0.delivered@example.net>")
        for replica in (left, right, left, right):
            self.sync(replica)
        self.assertEqual(self.ids(left), expected)
        self.assertEqual(self.ids(right), expected)
        self.assertEqual(set(self.imap(user).bodies()), expected)


if __name__ == "__main__":
    harness.need("mbsync")
    harness.main()
