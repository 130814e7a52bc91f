#!/usr/bin/python3
"""offlineimap: two-way synchronisation of all mailboxes with a tree of Maildirs."""

import harness
from harness import make_message

CONFIG = """
[general]
accounts = live
metadata = {home}/metadata
ui = quiet

[Account live]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = {home}/mail

[Repository far]
type = IMAP
remotehost = {host}
remoteport = {port}
remoteuser = {user}
remotepass = pass
ssl = no
starttls = no
auth_mechanisms = PLAIN, LOGIN
"""


class OfflineImap(harness.ClientTest):
    def account(self, user):
        self.write("rc", CONFIG.format(host=self.server.host, port=self.server.imap_port,
                                       user=user, home=self.home))

    def sync(self):
        # PYTHONPATH and the like of a test machine's other Pythons don't concern it.
        harness.run(["/usr/bin/offlineimap", "-c", self.home / "rc", "-o", "-1"],
                    env={"HOME": str(self.home), "PATH": harness.PATH})

    def files(self, mailbox):
        folder = self.home / "mail" / mailbox
        return [path for sub in ("cur", "new") for path in (folder / sub).glob("*")]

    def test_mail_and_mailboxes_come_down(self):
        user = self.new_user()
        client = self.imap(user)
        client.ok(client.create("Trips/Rome"))
        client.add("Trips/Rome", make_message(1))
        self.deliver(user, *[make_message(n) for n in range(2, 6)])
        self.account(user)
        self.sync()
        self.assertEqual(len(self.files("INBOX")), 4)
        self.assertEqual(len(self.files("Trips.Rome")), 1)

    def test_new_mail_flags_and_expunges_go_up(self):
        user = self.new_user()
        self.deliver(user, make_message(1), make_message(2))
        self.account(user)
        self.sync()
        one = next(p for p in self.files("INBOX") if b"Test 1" in p.read_bytes())
        two = next(p for p in self.files("INBOX") if b"Test 2" in p.read_bytes())
        one.rename(one.parent.parent / "cur" / (one.name.split(":")[0] + ":2,FS"))
        two.unlink()
        new = self.home / "mail" / "INBOX" / "new" / "1700000000_0.1.local"
        new.write_bytes(make_message(3).replace(b"\r\n", b"\n"))
        self.sync()
        client = self.imap(user)
        bodies = client.bodies()
        self.assertEqual(set(bodies), {b"<1.test@example.net>", b"<3.test@example.net>"})
        self.assertTrue({"\\Flagged", "\\Seen"} <= client.flags(client.uids()[0]))

    def test_a_second_run_changes_nothing(self):
        user = self.new_user()
        self.deliver(user, *[make_message(n) for n in range(3)])
        self.account(user)
        self.sync()
        before = sorted(path.name for path in self.files("INBOX"))
        self.sync()
        self.assertEqual(sorted(path.name for path in self.files("INBOX")), before)
        client = self.imap(user)
        self.assertEqual(client.choose(), 3)


if __name__ == "__main__":
    harness.need("offlineimap")
    harness.main()
