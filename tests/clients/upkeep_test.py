#!/usr/bin/python3
"""Upkeep beside a running server: what was deleted leaves the disk in time, and not before.

The days that must pass are passed by faketime(1).
"""

from harness import ClientTest, main, make_message, need, run


class Upkeep(ClientTest):
    def postern(self, *words, days=0):
        """Runs `postern` as if `days` had passed; returns what it printed."""
        return run(["faketime", "-f", f"+{days}d", *self.server.command("postern"), *words])

    def files_of(self, directory):
        return sorted(int(path.name[:-1]) for path in directory.glob("[0-9]*."))

    def test_expunged_messages_leave_after_a_week_the_others_stay(self):
        user = self.new_user()
        self.deliver(user, *(make_message(n) for n in range(4)))
        imap = self.imap(user)
        imap.choose()
        imap.store_flags("2:3", "+FLAGS", "\\Deleted")
        imap.ok(imap.expunge())
        directory = self.server.mailbox_path(f"user/{user}")
        self.postern("expire", "--all")
        self.assertEqual(self.files_of(directory), [1, 2, 3, 4])
        self.postern("expire", days=8)
        self.assertEqual(self.files_of(directory), [1, 4])
        self.assertEqual(imap.uids(), [1, 4])
        self.assertEqual(imap.body(4), self.imap(user).bodies()[b"<3.test@example.net>"])
        self.assertIn(b" 0 damages", self.postern("check", "--full", f"user/{user}"))

    def test_a_deleted_mailbox_leaves_after_a_week_and_never_comes_back(self):
        user = self.new_user()
        imap = self.imap(user)
        for name in ("Going", "Staying"):
            imap.ok(imap.create(name))
            imap.add(name, make_message(1))
        going, staying = (self.server.mailbox_path(f"user/{user}/{name}")
                          for name in ("Going", "Staying"))
        imap.ok(imap.delete("Going"))
        self.postern("expire")
        self.assertEqual(self.files_of(going), [1])
        self.assertIn(b" 0 mailboxes restored", b" " + self.postern("rebuild-list"))
        self.assertNotIn("Going", str(imap.ok(imap.list())))
        self.postern("expire", days=8)
        self.assertFalse(going.exists())
        self.assertEqual(self.files_of(staying), [1])


if __name__ == "__main__":
    need("faketime")
    main()
