#!/usr/bin/python3
"""The limits of every service, as a peer meets them: lines, literals, time, connections; and the line
in the log that names the option."""

import base64
import re
import socket
import ssl
import time
from pathlib import Path

import harness
from harness import make_message
from live.instance import PASSWORD

PATIENCE = 30  # seconds until something that must happen counts as missing


class Peer:
    """A socket and the lines that come."""

    def __init__(self, port, proxied=None, tls=False):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        if proxied:
            kind, local = ("TCP6", "2001:db8::1") if ":" in proxied else ("TCP4", "198.51.100.1")
            self.send(f"PROXY {kind} {proxied} {local} 4000 993")
        if tls:
            self.socket = ssl._create_unverified_context().wrap_socket(self.socket)
        self.lines = self.socket.makefile("rb")

    def send(self, text, end="\r\n"):
        self.socket.sendall((text + end).encode())

    def line(self):
        """The next line; "" at the end, however it came."""
        try:
            return self.lines.readline().decode()
        except (ConnectionResetError, ssl.SSLError):
            return ""

    def ask(self, text, answer):
        """Sends a line and reads up to the line that begins with `answer`."""
        self.send(text)
        while not (line := self.line()).startswith(answer):
            if not line:
                raise AssertionError(f"closed instead of {answer!r}")
        return line

    def rest(self):
        """Everything up to the end of the connection."""
        return "".join(iter(self.line, ""))

    def close(self):
        self.lines.close()
        self.socket.close()


class Limits(harness.ClientTest):
    settings = [
        "service.imap.command_timeout=1s", "service.imap.write_timeout=1s",
        "service.imap.max_per_user=3", "service.imap.linger=0", "tls.handshake_timeout=2s", "imap.append_limit=2KiB", "imap.max_command=16KiB",
        "service.imaps.command_timeout=1s", "service.imaps.write_timeout=1s",
        "service.imaps.proxy_networks=127.0.0.0/8", "service.imaps.max_per_address=2",
        "service.imaps.deny_networks=203.0.113.0/24", "service.imaps.login_timeout=20s",
        "service.pop3.login_timeout=2s", "service.pop3.max_connections=4",
        "service.pop3.command_timeout=1s",
        "service.sieve.login_timeout=2s", "service.sieve.command_timeout=1s",
        "service.sieve.max_connections=4", "sieve.max_script_size=2KiB",
        "service.lmtp.max_connections=4", "lmtp.idle_timeout=10s"]

    def setUp(self):
        super().setUp()
        if self.server.name != "postern":
            self.skipTest("the options are ours")

    def peer(self, service, greeting=True, **how):
        port = int(self.server.env["SIEVE_PORT"]) if service == "sieve" else getattr(
            self.server, f"{service}_port")
        peer = Peer(port, **how)
        self.addCleanup(peer.close)
        if service == "sieve" and greeting:
            while not peer.line().startswith("OK"):
                pass
        elif greeting:
            self.assertRegex(peer.line(), r"^(\* OK|\+OK|220) ")
        return peer

    def logged_in(self, service, user):
        peer = self.peer(service)
        if service == "imap":
            peer.ask(f"l LOGIN {user} {PASSWORD}", "l OK")
        elif service == "pop3":
            peer.ask(f"USER {user}", "+OK")
            peer.ask(f"PASS {PASSWORD}", "+OK")
        else:
            words = base64.b64encode(f"\0{user}\0{PASSWORD}".encode()).decode()
            peer.ask(f'AUTHENTICATE "PLAIN" "{words}"', "OK")
        return peer

    def await_(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, f"{what} did not come")
            time.sleep(0.05)

    def log_has(self, pattern):
        return re.search(pattern, Path(self.server.env["LOG"]).read_text(errors="replace"))

    # Lines and literals.

    def test_a_command_line_of_imap(self):
        peer = self.peer("imap")
        peer.ask("a NOOP " + 9000 * "x", "a NO [TOOBIG]")  # 8 KiB before login
        peer = self.logged_in("imap", self.new_user())
        peer.ask("a NOOP " + 9000 * "x", "a BAD")
        peer.ask("b NOOP " + 17000 * "x", "b NO [TOOBIG]")
        peer.ask("c NOOP", "c OK")

    def test_a_literal_of_imap(self):
        peer = self.logged_in("imap", self.new_user())
        peer.ask("a APPEND INBOX {2049}", "a NO [TOOBIG]")  # before it was sent
        peer.ask("b APPEND INBOX {2049+}\r\n" + 2049 * "x", "b NO [TOOBIG]")  # swallowed
        peer.ask("c NOOP", "c OK")
        peer.ask("d CREATE {20000}", "d NO [TOOBIG]")
        peer.send("e APPEND INBOX {1000000000+}")  # nobody swallows so much
        self.assertRegex(peer.rest(), r"\* BYE \[TOOBIG\]")

    def test_a_line_of_the_others(self):
        peer = self.peer("pop3")
        peer.ask("NOOP " + 17000 * "x", "-ERR Line too long")
        self.assertEqual(peer.rest(), "")
        peer = self.peer("lmtp")
        peer.ask("LHLO " + 5000 * "x", "500 5.5.2")
        peer.ask("LHLO x", "250 ")
        peer = self.peer("sieve")
        peer.ask("NOOP " + 9000 * "x", "BYE")
        self.assertEqual(peer.rest(), "")

    def test_a_script_of_managesieve(self):
        peer = self.logged_in("sieve", self.new_user())
        peer.ask('PUTSCRIPT "large" {2049+}\r\n' + 2049 * "#", "NO (QUOTA/MAXSIZE)")
        peer.ask("NOOP", "OK")

    # Time.

    def test_who_does_not_log_in_in_time_hears_goodbye(self):
        for service, goodbye in (("pop3", "-ERR No login in time"), ("sieve", "BYE")):
            with self.subTest(service=service):
                self.assertTrue(self.peer(service).rest().startswith(goodbye))
                self.assertTrue(self.log_has(f"service={service} .*login timeout"))

    def test_a_command_that_is_not_finished_in_time_ends_the_session(self):
        user = self.new_user()
        for service in ("imap", "pop3", "sieve"):
            with self.subTest(service=service):
                peer = self.logged_in(service, user)
                peer.send("a NO", end="")
                self.assertRegex(peer.rest(), "^(.*BYE.*\r\n)?$")

    def test_a_literal_that_is_not_finished_in_time_ends_the_session(self):
        peer = self.logged_in("imap", self.new_user())
        peer.ask("a APPEND INBOX {1000}", "+")
        peer.send("From: x")
        self.assertRegex(peer.rest(), r"^\* BYE ")

    def deaf(self, peer, user):
        """Fills the connection of a client that asks and doesn't read, until it is cut off."""
        peer.ask(f"l LOGIN {user} {PASSWORD}", "l OK")
        peer.ask("s SELECT INBOX", "s OK")
        peer.socket.setblocking(False)
        command = b"f UID FETCH 1:* (BODY.PEEK[])\r\n" * 100

        def is_cut_off():
            try:
                while True:
                    peer.socket.send(command)
            except (BlockingIOError, ssl.SSLWantWriteError):
                return False
            except OSError:
                return True
        self.await_(is_cut_off, "the end of a client that doesn't read")

    def test_a_client_that_stops_reading_is_cut_off(self):
        for service, how in (("imap", {}), ("imaps", {"tls": True, "proxied": "192.0.2.9"})):
            with self.subTest(service=service):
                user = self.new_user()
                self.deliver(user, *(make_message(n, size=200000) for n in range(4)))
                self.deaf(self.peer(service, **how), user)

    # Connections.

    def test_connections_of_a_service(self):
        for service, goodbye in (("pop3", r"-ERR \[SYS/TEMP\] Too many"), ("lmtp", "421 4.7.0 "),
                                 ("sieve", r"BYE \(TRYLATER\)")):
            with self.subTest(service=service):
                refused = []

                def one_is_refused():
                    line = self.peer(service, greeting=False).line()
                    if re.match(goodbye, line):
                        refused.append(line)
                    return refused
                self.await_(one_is_refused, "a refusal")
                self.await_(lambda: one_is_refused() and self.log_has(
                    f"session.refused service={service} .*option=service.{service}.max_connections"),
                            "the line")

    def test_sessions_of_a_user(self):
        user = self.new_user()
        sessions = [self.logged_in("imap", user) for _ in range(3)]
        self.await_(lambda: sum(f" {user} " in line and " parked " in line
                                for line in self.server.who()) == 3, "their parking")
        sessions.append(self.logged_in("imap", user))
        self.assertEqual(sessions[0].rest(), "* BYE [LIMIT] Too many connections\r\n")
        for peer in sessions[1:]:
            peer.ask("a NOOP", "a OK")
        self.assertTrue(self.log_has(f"session.limit .*user={user} .*option=service.imap.max_per_user"))

    def test_connections_of_an_address_inside_tls(self):
        for first, same, other in (("192.0.2.1", "192.0.2.1", "192.0.2.2"),
                                   ("2001:db8::1", "2001:db8::2:1", "2001:db8:0:1::1")):
            with self.subTest(address=first):
                for address in (first, same):
                    self.peer("imaps", tls=True, proxied=address)
                refused = self.peer("imaps", greeting=False, tls=True, proxied=same)
                self.assertTrue(refused.line().startswith("* BYE [LIMIT]"))
                self.peer("imaps", tls=True, proxied=other)
        self.await_(lambda: self.log_has("option=service.imaps.max_per_address"), "the line")

    def test_a_network_is_kept_out_before_the_handshake(self):
        def is_told():
            with self.assertRaises((ssl.SSLError, OSError)):
                self.peer("imaps", tls=True, proxied="203.0.113.5")
            return self.log_has("option=service.imaps.deny_networks")
        self.await_(is_told, "the line")


if __name__ == "__main__":
    harness.main()
