#!/usr/bin/python3
"""neomutt with scripted keys on a pseudo-terminal: read, flag, save, delete, sync."""

import os
import pty
import select
import signal
import time

import harness
from harness import make_message

CONFIG = """
set spool_file = "imap://{user}@{host}:{port}/INBOX"
set folder = "imap://{user}@{host}:{port}/"
set imap_user = "{user}"
set imap_pass = "pass"
set imap_authenticators = "plain:login"
set ssl_starttls = no
set ssl_force_tls = no
set header_cache = "{home}/cache"
set message_cachedir = "{home}/bodies"
set delete = yes
set move = no
set confirm_append = no
set wait_key = no
set sleep_time = 0
set sort = mailbox-order
set quit = yes
set record = ""
push "{keys}"
"""


def run_on_terminal(command, environment, seconds=60):
    """Runs `command` on a terminal of its own until it ends; returns (exit code, screen output)."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, environment)
    output, deadline = b"", time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            read = os.read(terminal, 65536)
        except OSError:  # EIO: the program has ended
            read = b""
        if not read:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output
        output += read
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError(f"neomutt still runs after {seconds} s; its screen:\n{output[-2000:]!r}")


class Neomutt(harness.ClientTest):
    def neomutt(self, user, keys):
        """Opens INBOX, types `keys`, and quits."""
        config = self.write("muttrc", CONFIG.format(
            user=user, host=self.server.host, port=self.server.imap_port, home=self.home,
            keys=keys + "<quit>"))
        environment = {"HOME": str(self.home), "PATH": harness.PATH, "TERM": "xterm",
                       "LANG": "C.UTF-8"}
        status, output = run_on_terminal(["/usr/bin/neomutt", "-n", "-F", str(config)], environment)
        self.assertEqual(status, 0, output[-2000:])

    def filled(self, count=4):
        user = self.new_user()
        client = self.imap(user)
        for number in range(1, count + 1):
            client.add("INBOX", make_message(number))
        return user, client

    def test_reading_marks_as_seen(self):
        user, client = self.filled()
        self.neomutt(user, "<first-entry><display-message><exit>")
        client.choose()
        seen = [uid for uid in client.uids() if "\\Seen" in client.flags(uid)]
        self.assertEqual(seen, client.uids()[:1])

    def test_flagging_and_deleting_are_stored_at_sync(self):
        user, client = self.filled()
        self.neomutt(user, "<first-entry><flag-message><last-entry><delete-message><sync-mailbox>")
        self.assertEqual(client.choose(), 3)
        self.assertIn("\\Flagged", client.flags(client.uids()[0]))

    def test_saving_moves_a_message(self):
        user, client = self.filled()
        client.ok(client.create("Saved"))
        self.neomutt(user, "<first-entry><save-message>=Saved<enter><sync-mailbox>")
        self.assertEqual(list(client.bodies("Saved")), [b"<1.test@example.net>"])
        self.assertEqual(client.choose(), 3)

    def test_copying_keeps_a_message(self):
        user, client = self.filled()
        client.ok(client.create("Copied"))
        self.neomutt(user, "<tag-pattern>~A<enter><tag-prefix><copy-message>=Copied<enter>")
        self.assertEqual(len(client.bodies("Copied")), 4)
        self.assertEqual(client.choose(), 4)

    def test_searching_at_the_server(self):
        user, client = self.filled()
        self.neomutt(user, "<delete-pattern>=b 'message 3'<enter><sync-mailbox>")
        self.assertEqual(set(client.bodies()),
                         {f"<{n}.test@example.net>".encode() for n in (1, 2, 4)})


if __name__ == "__main__":
    harness.need("neomutt")
    harness.main()
