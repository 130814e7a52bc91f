#!/usr/bin/python3
"""Sessions that are quiet: kept alive, ended in time, shown by `postern who`, told when the server
ends, and still there when the programs were replaced."""

import os
import shutil
import signal
import time

import harness
from harness import make_message, run
from limits_test import Peer
from live import processes
from live.instance import PASSWORD
from live.postern import ROOT

PATIENCE = 60  # seconds until something that must happen counts as missing
PROGRAMS = ("master", "porter", "transportd", "metad", "imapd", "pop3d", "lmtpd", "managesieved")
WORKERS = PROGRAMS[4:]


class Parked(harness.ClientTest):
    settings = ["imap.idle_keepalive=500ms", "imap.autologout=4s", "service.imap.linger=0"]

    def setUp(self):
        super().setUp()
        if self.server.name != "postern":
            self.skipTest("it is about our sessions")

    def peer(self, port, greeting, **how):
        peer = Peer(port, **how)
        self.addCleanup(peer.close)
        while not peer.line().startswith(greeting):
            pass
        return peer

    def imap_peer(self, user, port=None, **how):
        peer = self.peer(port or self.server.imap_port, "* OK", **how)
        peer.ask(f"l LOGIN {user} {PASSWORD}", "l OK")
        peer.ask("s SELECT INBOX", "s OK")
        return peer

    def pop3_peer(self, user):
        peer = self.peer(self.server.pop3_port, "+OK")
        peer.ask(f"USER {user}", "+OK")
        peer.ask(f"PASS {PASSWORD}", "+OK")
        return peer

    def sieve_peer(self):
        return self.peer(int(self.server.env["SIEVE_PORT"]), "OK")

    def lmtp_peer(self):
        return self.peer(self.server.lmtp_port, "220")

    def await_(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, f"{what} did not come")
            time.sleep(0.02)

    # Time.

    def test_an_idling_client_is_kept_alive_and_then_ended(self):
        peer = self.imap_peer(self.new_user())
        peer.ask("i IDLE", "+")
        lines = peer.rest().splitlines()
        self.assertEqual(lines.pop(), "* BYE Autologout; idle for too long")
        self.assertGreaterEqual(lines.count("* OK Still here"), 3)
        self.assertEqual(set(lines), {"* OK Still here"})

    def test_a_silent_client_is_ended_without_more_words(self):
        peer = self.imap_peer(self.new_user())
        self.assertEqual(peer.rest(), "* BYE Autologout; idle for too long\r\n")

    # Who is there.

    def test_who_tells_everything_of_a_session(self):
        user = self.new_user()
        began = int(time.time())
        self.imap_peer(user)
        tls = self.imap_peer(user, port=self.server.imaps_port, tls=True)
        tls.ask("i IDLE", "+")
        self.pop3_peer(user)
        found = self.server.parked_sessions(user)
        self.assertEqual(set(found), {"imap", "imaps", "pop3"})
        for one in found.values():
            self.assertEqual(one["user"], user)
            self.assertRegex(one["address"], r"^127\.0\.0\.1:\d+$")
            self.assertTrue(began <= one["since"] <= time.time())
            self.assertLess(one["seconds_in_state"], PATIENCE)
            self.assertEqual(one["mailbox"], f"user/{user}", one)
        self.assertEqual((found["imap"]["tls"], found["pop3"]["tls"]), ("", ""))
        self.assertEqual(found["imaps"]["tls"], f"TLSv1.3 {tls.socket.cipher()[0]}")
        self.assertEqual((found["imap"]["activity"], found["imaps"]["activity"]), ("quiet", "IDLE"))

    # The end of the server.

    def test_everybody_hears_that_the_server_ends(self):
        user = self.new_user()
        idle = self.imap_peer(user)
        idle.ask("i IDLE", "+")
        tls = self.imap_peer(user, port=self.server.imaps_port, tls=True)
        peers = [(idle, r"(\* OK Still here\r\n)*\* BYE \[UNAVAILABLE\]"),
                 (tls, r"\* BYE \[UNAVAILABLE\]"), (self.pop3_peer(user), r"-ERR \[SYS/TEMP\]"),
                 (self.sieve_peer(), r"BYE \(TRYLATER\)"), (self.lmtp_peer(), "421 4.3.2")]
        self.addCleanup(self.server.start)
        self.server.stop()
        for peer, goodbye in peers:
            self.assertRegex(peer.rest(), f"^{goodbye}")

    # New programs.

    def programs_of_our_own(self):
        """Starts the server from copies of the programs, which may be replaced."""
        self.server.stop()
        folder = self.server.folder / "bin"
        folder.mkdir(mode=0o755, exist_ok=True)
        for name in (*PROGRAMS, "postern", "posternadm"):
            shutil.copy(ROOT / "build" / os.environ.get("POSTERN_PRESET", "release") / "bin" / name,
                        folder)
        self.server.start()
        return folder

    def replaced(self, folder):
        """Puts other files in the places of the workers' programs and waits for their processes."""
        for name in WORKERS:
            new = folder / f"{name}.new"
            shutil.copy(folder / name, new)
            with open(new, "ab") as file:
                file.write(b"another version")
            new.rename(folder / name)
        os.kill(self.server.master_pid, signal.SIGHUP)

        def all_are_new():
            links = {}
            for pid in self.server.pids():
                try:
                    links.setdefault(processes.name_of(pid), []).append(os.readlink(f"/proc/{pid}/exe"))
                except OSError:
                    pass
            return all(links.get(name) and not any(link.endswith("(deleted)") for link in links[name])
                       for name in WORKERS)
        self.await_(all_are_new, "the new programs")

    def test_parked_sessions_go_on_when_the_programs_were_replaced(self):
        self.server.settings.append("imap.autologout=30min")
        self.addCleanup(self.server.settings.pop)
        folder = self.programs_of_our_own()
        user = self.new_user()
        self.deliver(user, *(make_message(number) for number in (1, 2)))
        idle, pop3 = self.imap_peer(user), self.pop3_peer(user)
        idle.ask("i IDLE", "+")
        pop3.ask("DELE 1", "+OK")
        tls = self.imap_peer(user, port=self.server.imaps_port, tls=True)
        sieve, lmtp = self.sieve_peer(), self.lmtp_peer()
        lmtp.ask("LHLO x", "250 ")
        self.replaced(folder)
        lmtp.ask(f"MAIL FROM:<a@example.net>", "250")
        lmtp.ask(f"RCPT TO:<{user}>", "250")
        lmtp.ask("DATA", "354")
        lmtp.ask("Subject: new\r\n\r\nnew\r\n.", "250")
        while not (line := idle.line()).endswith("EXISTS\r\n"):
            self.assertEqual(line, "* OK Still here\r\n")
        self.assertEqual(line, "* 3 EXISTS\r\n")
        idle.ask("DONE", "i OK")
        self.assertEqual(pop3.ask("STAT", "+OK").split()[1], "1")  # what it had marked is marked
        pop3.ask("QUIT", "+OK")
        tls.ask("n NOOP", "n OK")
        self.assertEqual(tls.ask("f UID SEARCH ALL", "* SEARCH").split()[2:], ["2", "3"])
        sieve.ask("NOOP", "OK")


if __name__ == "__main__":
    harness.main()
