"""Clients of tests/crash/sessions: each repeats a small step on one connection and notes when that
connection drops."""

import random
import socket
import ssl
import time

from sockets import port_of

TIMEOUT = 10  # seconds; the judge is stricter
LOST = (OSError, EOFError)


class Peer:
    """`run` works in a thread of its own. `steps` counts completed steps, `drops` the connections
    that were lost after login."""

    service = "imap"
    tls = False

    def __init__(self, number, server, stop):
        self.number, self.server, self.stop = number, server, stop
        self.user = f"user{number % server.users + 1}"
        self.random = random.Random(number)
        self.sock = self.file = self.port = None
        self.steps = self.drops = self.drops_seen = 0
        self.doing, self.last_error = "connecting", ""

    def __str__(self):
        return f"{type(self).__name__} {self.number}{' with TLS' if self.tls else ''}"

    def newly_dropped(self):
        """Whether a session was lost since the last question."""
        seen, self.drops_seen = self.drops_seen, self.drops
        return self.drops_seen > seen

    def run(self):
        while not self.stop.is_set():
            try:
                if self.sock is None:
                    self.open()
                self.step()
                self.steps += 1
            except LOST as error:
                self.lose(error)
                self.stop.wait(0.01)
        self.leave()

    def lose(self, error):
        """A connection that wasn't logged in yet is no session."""
        if self.sock is not None and self.doing != "connecting":
            self.last_error = f"{error!r} in {self.doing}"
            self.drops += 1
        self.close()

    def open(self):
        self.doing = "connecting"
        port = getattr(self.server, f"{self.service}{'s' if self.tls else ''}_port")
        sock = socket.create_connection((self.server.host, port), timeout=TIMEOUT)
        self.sock, self.port = sock, port_of(sock)
        if self.tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.sock = context.wrap_socket(sock)
        self.file = self.sock.makefile("rb")
        self.line()
        self.log_in()
        self.doing = "logged in"

    def close(self):
        for thing in (self.file, self.sock):
            try:
                if thing is not None:
                    thing.close()
            except OSError:
                pass
        self.sock = self.file = self.port = None

    def leave(self):
        try:
            if self.sock is not None:
                self.say_goodbye()
        except LOST:
            pass
        self.close()

    def say(self, text):
        self.sock.sendall(text.encode() + b"\r\n")

    def line(self):
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise EOFError("closed")
        if line.startswith(b"* BYE"):
            raise EOFError(line)
        return line


class Imap(Peer):
    """NOOP, STATUS, FETCH, STORE and APPEND, with pauses in which the session is parked."""

    def log_in(self):
        self.tag = 0
        self.command(f"LOGIN {self.user} pass")
        self.command("SELECT INBOX")

    def command(self, text):
        self.tag += 1
        self.say(f"t{self.tag} {text}")
        self.expect_tag()

    def expect_tag(self):
        tag = f"t{self.tag} ".encode()
        while not (line := self.line()).startswith(tag):
            pass
        return line

    def step(self):
        self.doing = self.random.choice(("NOOP", "STATUS INBOX (MESSAGES)", "FETCH 1:* (UID FLAGS)",
                                         "STORE 1 +FLAGS (\\Seen)", "APPEND"))
        if self.doing == "APPEND":
            text = f"Subject: {self.number}.{self.steps}\r\n\r\nbody\r\n"
            self.command(f"APPEND INBOX {{{len(text)}+}}\r\n{text}")
        else:
            self.command(self.doing)
        self.stop.wait(self.random.choice((0, 0.002, 0.02)))

    def say_goodbye(self):
        self.command("LOGOUT")


class Idle(Imap):
    """IDLE, some moments, DONE."""

    def step(self):
        self.doing = "IDLE"
        self.tag += 1
        self.say(f"t{self.tag} IDLE")
        while not self.line().startswith(b"+"):
            pass
        self.stop.wait(self.random.choice((0, 0.01, 0.1)))
        self.say("DONE")
        self.expect_tag()


class Pop3(Peer):
    """STAT, UIDL, NOOP. Nothing is deleted: the lists stay as long as a session lives."""

    service = "pop3"

    def log_in(self):
        for text in (f"USER {self.user}", "PASS pass"):
            self.say(text)
            if not self.line().startswith(b"+OK"):
                raise EOFError("login refused")

    def step(self):
        self.doing = self.random.choice(("STAT", "UIDL", "NOOP"))
        self.say(self.doing)
        if not self.line().startswith(b"+OK"):
            raise EOFError("refused")
        while self.doing == "UIDL" and self.line() != b".\r\n":
            pass
        self.stop.wait(self.random.choice((0, 0.002, 0.02)))

    def say_goodbye(self):
        self.say("QUIT")
        self.line()


class Lmtp(Peer):
    """Small messages to its user."""

    service = "lmtp"

    def log_in(self):
        self.reply("LHLO client.example.net")

    def reply(self, text):
        self.say(text)
        while (line := self.line())[3:4] == b"-":
            pass
        return line

    def step(self):
        self.doing = "delivery"
        for text in ("MAIL FROM:<s@example.net>", f"RCPT TO:<{self.user}>", "DATA",
                     f"Message-ID: <{self.number}.{self.steps}.{time.time()}@x>\r\n\r\nbody\r\n."):
            line = self.reply(text)
            if line[:1] == b"4":  # metad or the store may pause: an MTA tries again
                self.reply("RSET")
                return
            if line[:1] not in b"23":
                raise EOFError(line)
        self.stop.wait(0.05)

    def say_goodbye(self):
        self.reply("QUIT")


class ImapTls(Imap):
    tls = True


class IdleTls(Idle):
    tls = True


class Pop3Tls(Pop3):
    tls = True


KINDS = (Imap, ImapTls, Idle, IdleTls, Pop3, Pop3Tls, Lmtp)


def make_peers(server, count, stop):
    return [KINDS[number % len(KINDS)](number, server, stop) for number in range(count)]
