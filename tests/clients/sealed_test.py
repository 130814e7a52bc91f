#!/usr/bin/python3
"""TLS as the processes of a whole server share it: libssl and private keys are in transportd alone,
which has nothing else; sessions resume at any transportd while their tickets' keys change."""

import base64
import os
import poplib
import pwd
import signal
import socket
import ssl
import time
from pathlib import Path

import harness
from harness import make_message
from live import processes
from live.instance import PASSWORD

PATIENCE = 30  # seconds until something that must happen counts as missing
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def links_of(pid):
    """What the descriptors of a process are: {number: "socket:[123]"}."""
    links = {}
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links[int(entry.name)] = os.readlink(entry)
        except OSError:
            pass
    return links


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: text.strip() for name, text in (line.split(":", 1) for line in lines)}


class Sealed(harness.ClientTest):
    settings = ["tls.processes=2", "tls.ticket_rotation=2s"]

    def setUp(self):
        super().setUp()
        if self.server.name != "postern":
            self.skipTest("it is about our processes")

    def pids(self, program):
        return [pid for pid in self.server.pids() if processes.name_of(pid) == program]

    # Who has what.

    def use_everything(self):
        """A login in each protocol, so that all libraries and plugins are loaded."""
        user = self.new_user()
        self.deliver(user, make_message(1))
        self.assertEqual(self.imap(user).choose(), 1)
        pop3 = poplib.POP3(self.server.host, self.server.pop3_port)
        self.addCleanup(pop3.close)
        pop3.user(user)
        pop3.pass_(PASSWORD)
        with socket.create_connection((self.server.host, int(self.server.env["SIEVE_PORT"])),
                                      PATIENCE) as sieve:
            words = base64.b64encode(f"\0{user}\0{PASSWORD}".encode()).decode()
            sieve.sendall(f'AUTHENTICATE "PLAIN" "{words}"\r\nLOGOUT\r\n'.encode())
            with sieve.makefile("rb") as answer:
                self.assertIn(b"OK", answer.read())

    def test_transportd_alone_has_libssl(self):
        self.use_everything()
        found = {}
        for pid in self.server.pids():
            try:
                maps = Path(f"/proc/{pid}/maps").read_text()
            except OSError:
                continue  # a worker that has just ended
            found.setdefault(processes.name_of(pid), set()).add("/libssl" in maps)
        self.assertEqual(found, {"transportd": {True}} | {name: {False} for name in (
            "master", "porter", "metad", "imapd", "pop3d", "lmtpd", "managesieved")})

    def test_transportd_has_no_rights_and_no_file(self):
        self.use_everything()
        self.assertEqual(len(self.pids("transportd")), 2)
        log = Path(self.server.env["LOG"]).resolve()
        for pid in self.pids("transportd"):
            status = status_of(pid)
            self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
            self.assertEqual(int(status["CapEff"], 16) | int(status["CapPrm"], 16), 0)
            for number, link in links_of(pid).items():
                self.assertTrue(link.startswith("socket:") or link == "anon_inode:[eventpoll]"
                                or (number <= 2 and link in ("/dev/null", str(log))
                                    or number <= 2 and link.startswith("pipe:")), f"{number}: {link}")
            if os.geteuid() == 0:
                user = pwd.getpwnam("postern-transport")
                self.assertEqual(set(status["Uid"].split()), {str(user.pw_uid)})
                self.assertEqual(set(status["Gid"].split()), {str(user.pw_gid)})
                self.assertEqual(status["Groups"], "")
                self.assertEqual(list(Path(os.readlink(f"/proc/{pid}/root")).iterdir()), [])

    # Tickets.

    def visit(self, version, ticket=None):
        """A TLS connection, up to the greeting: (whether `ticket` was taken, a new ticket, the
        process that served it)."""
        context, session = ticket or (ssl._create_unverified_context(), None)
        context.minimum_version = context.maximum_version = version
        tcp = socket.create_connection((self.server.host, self.server.imaps_port), PATIENCE)
        with context.wrap_socket(tcp, session=session) as client:
            self.assertTrue(client.recv(1000).startswith(b"* OK"))
            return client.session_reused, (context, client.session), self.server_of(client)

    def server_of(self, client):
        """The transportd that has the server's end of this connection."""
        ends = f":{self.server.imaps_port:04X} 0100007F:{client.getsockname()[1]:04X} "
        for line in Path("/proc/net/tcp").read_text().splitlines():
            if ends in line:
                link = f"socket:[{line.split()[9]}]"
                return next(pid for pid in self.pids("transportd") if link in links_of(pid).values())
        return self.fail("nobody has the connection")

    def test_a_session_resumes_at_another_process(self):
        for version in VERSIONS:
            with self.subTest(version=version.name):
                resumed, ticket, first = self.visit(version)
                self.assertFalse(resumed)
                os.kill(first, signal.SIGKILL)  # so another one takes the next connection
                resumed, _, second = self.visit(version, ticket)
                self.assertNotEqual(first, second)
                self.assertTrue(resumed)

    def test_tickets_are_renewed_while_their_keys_change(self):
        for version in VERSIONS:
            with self.subTest(version=version.name):
                first = latest = self.visit(version)[1]
                end = time.monotonic() + PATIENCE
                while self.visit(version, first)[0]:  # until its key has gone
                    resumed, latest, _ = self.visit(version, latest)
                    self.assertTrue(resumed)
                    self.assertLess(time.monotonic(), end, "the keys don't change")
                    time.sleep(0.1)
                self.assertTrue(self.visit(version, latest)[0])


if __name__ == "__main__":
    harness.main()
