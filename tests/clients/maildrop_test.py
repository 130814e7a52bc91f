#!/usr/bin/python3
"""What POP3 promises about a maildrop, with poplib and beside IMAP: the same unique ids through
everything, deletions that last, flags, and the reasons for which it says no (RFC 2449, RFC 3206)."""

import poplib
import re
import socket

import harness
from harness import make_message, run
from live.instance import PASSWORD


class Maildrop(harness.ClientTest):
    settings = ["pop3.expire_days=30", "pop3.login_delay=1h", "pop3.login_burst=12", "service.pop3.max_per_user=3"]

    def setUp(self):
        super().setUp()
        if self.server.name != "postern":
            self.skipTest("it is about our answers")

    def pop3(self, user):
        client = poplib.POP3(self.server.host, self.server.pop3_port, timeout=30)
        self.addCleanup(client.close)
        client.user(user)
        client.pass_(PASSWORD)
        return client

    def refusal(self, command, *words):
        """What is answered with -ERR."""
        with self.assertRaises(poplib.error_proto) as caught:
            command(*words)
        return caught.exception.args[0].decode()

    def uidl(self, user):
        client = self.pop3(user)
        lines = client.uidl()[1]
        client.quit()
        return [line.decode().split()[1] for line in lines]

    def filled(self, count):
        user = self.new_user()
        self.deliver(user, *(make_message(number) for number in range(1, count + 1)))
        return user

    def restart(self, how="stop"):
        getattr(self.server, how)()
        self.server.start()

    # Unique ids.

    def test_unique_ids_are_the_same_after_a_restart(self):
        user = self.filled(3)
        before = self.uidl(user)
        self.assertEqual(len(set(before)), 3)
        self.restart()
        self.assertEqual(self.uidl(user), before)
        self.restart("kill")
        self.assertEqual(self.uidl(user), before)

    def test_unique_ids_are_the_same_after_rename(self):
        user = self.new_user()
        imap = self.imap(user)
        imap.ok(imap.create("Lists"))
        for number in (1, 2):
            imap.add("Lists", make_message(number))
        before = self.uidl(f"{user}+Lists")
        imap.ok(imap.rename("Lists", "News"))
        self.assertEqual(self.uidl(f"{user}+News"), before)
        self.assertEqual(len(set(before)), 2)

    def test_unique_ids_are_the_same_after_repair(self):
        user = self.filled(4)
        imap = self.imap(user)
        imap.choose()
        imap.store_flags("2", "+FLAGS", "\\Deleted")
        imap.ok(imap.expunge())
        before = self.uidl(user)
        self.assertEqual(len(before), 3)
        run([*self.server.command("postern"), "reconstruct", f"user/{user}"])
        self.assertEqual(self.uidl(user), before)
        directory = self.server.mailbox_path(f"user/{user}")
        self.server.stop()
        (directory / "index").unlink()
        self.server.start()
        run([*self.server.command("postern"), "reconstruct", f"user/{user}"])
        self.assertEqual(self.uidl(user), before)

    # Deletions and flags.

    def test_deletions_last_once_quit_is_answered_and_not_before(self):
        user = self.filled(3)
        client = self.pop3(user)
        client.dele(1)
        self.restart("kill")
        kept = self.uidl(user)
        self.assertEqual(len(kept), 3)
        client = self.pop3(user)
        client.dele(1)
        client.quit()
        self.restart("kill")
        self.assertEqual(self.uidl(user), kept[1:])

    def test_three_sessions_at_once_and_imap_beside_them(self):
        user = self.filled(3)
        imap = self.imap(user)
        self.assertEqual(imap.choose(), 3)
        one, two = self.pop3(user), self.pop3(user)
        one.dele(1)
        one.quit()
        self.assertEqual(two.stat()[0], 3)  # a snapshot
        self.assertIn(b"Line 0 of message 1.", b"\n".join(two.retr(1)[1]))
        two.dele(1)
        two.dele(2)
        two.quit()
        imap.ok(imap.noop())
        self.assertEqual(imap.uids(), [3])

    def seen(self, imap):
        imap.choose()
        return imap.uids("SEEN")

    def test_retr_sets_seen_and_top_does_not(self):
        user = self.filled(3)
        client, imap = self.pop3(user), self.imap(user)
        client.top(1, 10)
        client.retr(2)
        client.quit()
        self.assertEqual(self.seen(imap), [2])

    def test_seen_is_left_alone_by_option_and_without_the_right(self):
        user = self.new_user()
        imap = self.imap(user)
        imap.ok(imap.create("Lists"))
        imap.add("Lists", make_message(1))
        imap.ok(imap.setacl("Lists", user, "lrwa"))
        client = self.pop3(f"{user}+Lists")
        client.retr(1)
        client.quit()
        imap.choose("Lists")
        self.assertEqual(imap.uids("SEEN"), [])
        self.deliver(user, make_message(1))
        self.server.settings.append("pop3.mark_seen=false")
        self.addCleanup(self.restart)
        self.addCleanup(self.server.settings.remove, "pop3.mark_seen=false")
        self.restart()
        client = self.pop3(user)
        client.retr(1)
        client.quit()
        self.assertEqual(self.seen(self.imap(user)), [])

    # Reasons to say no.

    def test_login_delay(self):
        user = self.new_user()
        client = self.pop3(user)
        self.assertEqual(client.capa()["LOGIN-DELAY"], ["3600"])
        self.assertEqual(client.capa()["EXPIRE"], ["30"])
        client.quit()
        for _ in range(11):
            self.server.parked_sessions(user)  # the last one has ended: three at once are the limit
            self.pop3(user).quit()
        self.server.parked_sessions(user)
        self.assertRegex(self.refusal(self.pop3, user), r"^-ERR \[LOGIN-DELAY\] ")

    def test_in_use_when_all_of_the_users_sessions_are_busy(self):
        user = self.new_user()
        self.deliver(user, make_message(1, size=2_000_000))
        for _ in range(3):
            client = self.pop3(user)
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sock.sendall(b"RETR 1\r\n" * 20)  # and doesn't read the answers
            client.file.read(1000)
        self.assertRegex(self.refusal(self.pop3, user), r"^-ERR \[IN-USE\] ")

    def test_sys_perm_for_a_damaged_message(self):
        user = self.filled(2)
        (self.server.mailbox_path(f"user/{user}") / "1.").write_bytes(b"nothing like it")
        client = self.pop3(user)
        self.assertRegex(self.refusal(client.retr, 1), r"^-ERR \[SYS/PERM\] ")
        self.assertIn(b"Line 0 of message 2.", b"\n".join(client.retr(2)[1]))

    def test_sys_temp_for_a_mailbox_that_cannot_be_opened_now(self):
        user = self.filled(1)
        directory = self.server.mailbox_path(f"user/{user}")
        mode = directory.stat().st_mode & 0o777
        directory.chmod(0)
        try:
            self.assertRegex(self.refusal(self.pop3, user), r"^-ERR \[SYS/TEMP\] ")
        finally:
            directory.chmod(mode)
        self.assertEqual(self.pop3(user).stat()[0], 1)

    def test_sys_temp_when_the_server_ends(self):
        client = self.pop3(self.filled(1))
        self.server.stop()
        self.addCleanup(self.server.start)
        self.assertRegex(client.file.readline(), rb"^-ERR \[SYS/TEMP\] ")
        self.assertEqual(client.file.readline(), b"")

    def test_a_user_who_is_kicked_is_told(self):
        user = self.filled(1)
        client = self.pop3(user)
        client.noop()
        self.server.parked_sessions(user)  # a worker that is at it is cut off without a word
        run([*self.server.command("postern"), "kick", user])
        self.assertTrue(re.match(rb"-ERR .*administrator", client.file.readline()))
        self.assertEqual(client.file.readline(), b"")


if __name__ == "__main__":
    harness.main()
