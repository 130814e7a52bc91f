#!/usr/bin/python3
"""Upkeep beside a running server: what was deleted leaves the disk in time, and not before.

The days that must pass are passed by faketime(1).
"""

from pathlib import Path

from harness import ClientTest, main, make_message, need, run


class Upkeep(ClientTest):
    def postern(self, *words, days=0, status=(0,)):
        """Runs `postern` as if `days` had passed; returns what it printed."""
        return run(["faketime", "-f", f"+{days}d", *self.server.command("postern"), *words],
                   status)

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

    def test_a_night_looks_only_at_what_is_due(self):
        user = self.new_user()
        imap = self.imap(user)
        for name in ("Alone", "Gone", "Cut"):
            imap.ok(imap.create(name))
            imap.add(name, make_message(1))
        alone, gone, cut = (self.server.mailbox_path(f"user/{user}/{name}")
                            for name in ("Alone", "Gone", "Cut"))
        self.postern("expire", "--all")
        export = next(path for path in Path(self.server.env["SPOOL"]).glob("u/*/*/user.json")
                      if f'"{user}"' in path.read_text())
        export.write_text("old")
        (alone / "header").write_bytes(b"unreadable")  # whoever reads it says so
        for name in ("Gone", "Cut"):
            imap.ok(imap.delete(name))
        (cut / "header").unlink()  # as if a night's work had been killed there
        self.assertIn(b" 0 deleted ones removed, 0 failed, 0 exports", self.postern("expire"))
        told = self.postern("expire", days=8)
        self.assertIn(b" 2 deleted ones removed, 0 failed, 0 exports", told)
        self.assertFalse(gone.exists() or cut.exists())
        self.assertEqual(export.read_text(), "old")
        imap.ok(imap.subscribe("Alone"))
        self.assertIn(b" 0 failed, 1 exports", self.postern("expire"))
        self.assertIn("Alone", export.read_text())
        self.assertIn(b" 1 failed,", self.postern("expire", "--all", status=(75,)))
        self.postern("reconstruct", f"user/{user}/Alone")
        self.assertIn(b" 0 failed,", self.postern("expire", "--all"))

    def test_a_deletion_is_not_forgotten_when_all_processes_are_killed(self):
        user = self.new_user()
        imap = self.imap(user)
        imap.ok(imap.create("Going"))
        going = self.server.mailbox_path(f"user/{user}/Going")
        imap.ok(imap.delete("Going"))
        self.server.kill()
        self.server.start()
        self.assertTrue(going.exists())
        self.assertIn(b" 1 deleted ones removed, 0 failed", self.postern("expire", days=8))
        self.assertFalse(going.exists())


if __name__ == "__main__":
    need("faketime")
    main()
