#!/usr/bin/env python3
"""Fuzzes a live server over its sockets: random octets, mutated and recombined commands, from every
connection state, cut into packets at random.

    live.py imap|lmtp|pop3 [--seconds N] [--seed S] [--port-base N]

The server is a private instance (POSTERN_BIN chooses the build, for example build/asan/bin). It
fails if a process aborts or dies by a signal, if a sanitizer reports, if the server stops
answering, or if a message that was there before is not there, octet for octet, afterwards.
"""

import argparse
import imaplib
import random
import re
import smtplib
import socket
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import live  # noqa: E402

CANARY = b"From: canary@example.org\r\nSubject: do not lose me\r\n\r\nstill here\r\n"
BAD_LOG = re.compile(r"AddressSanitizer|runtime error:|LeakSanitizer|event=process\.abort|signal=")

MESSAGE = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: =?utf-8?q?x?=\r\nMIME-Version: 1.0\r\n" \
          b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: " \
          b"message/rfc822\r\n\r\nSubject: in\r\n\r\ntwo\r\n--b--\r\n"

IMAP_SEEDS = [
    b"CAPABILITY", b"NOOP", b"LOGOUT", b'ID ("name" "x" "version" NIL)', b"ENABLE CONDSTORE QRESYNC",
    b"NAMESPACE", b'LIST "" "*"', b'LIST (SUBSCRIBED) "" ("%" "INBOX/*") RETURN (CHILDREN STATUS (MESSAGES UIDNEXT))',
    b'LSUB "" "*"', b"SUBSCRIBE INBOX", b"UNSUBSCRIBE x", b"STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)",
    b"CREATE box{n}", b"CREATE a/b/c", b"DELETE box{n}", b"RENAME box{n} box2", b"SELECT INBOX", b"EXAMINE INBOX",
    b"SELECT INBOX (CONDSTORE)", b"CLOSE", b"UNSELECT", b"CHECK", b"EXPUNGE", b"UID EXPUNGE 1:*", b"IDLE", b"DONE",
    b"FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE MODSEQ)", b"FETCH 1 ALL", b"FETCH 2:1 FULL",
    b"UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (From To Subject)] BODY[1.2.HEADER]<0.10>)", b"FETCH * BODY[2.MIME]",
    b"FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)", b"STORE 1 +FLAGS (\\Seen $kw)", b"STORE 1:* FLAGS.SILENT ()",
    b"UID STORE 1:* (UNCHANGEDSINCE 5) -FLAGS (\\Deleted)", b"COPY 1:* INBOX", b"MOVE 1 Trash", b"UID COPY 1 nowhere",
    b"SEARCH ALL", b'SEARCH CHARSET UTF-8 OR (SUBJECT "x" NOT SEEN) SINCE 1-Jan-2020 LARGER 10', b"SEARCH BODY {3+}\r\nabc",
    b"UID SEARCH RETURN (MIN MAX COUNT ALL) UID 1:* HEADER From a", b"SORT (REVERSE DATE) UTF-8 ALL", b"THREAD REFERENCES UTF-8 ALL",
    b"APPEND INBOX (\\Seen) {%d+}\r\n%s" % (len(MESSAGE), MESSAGE), b'APPEND INBOX "01-Jan-2020 00:00:00 +0000" {5+}\r\nhello',
    b"APPEND INBOX {99999999999}", b"SETACL INBOX anyone lrs", b"GETACL INBOX", b"MYRIGHTS INBOX", b"LISTRIGHTS INBOX anyone",
    b"DELETEACL INBOX anyone", b"GETQUOTAROOT INBOX", b"GETQUOTA x", b'SETQUOTA x (STORAGE 10)', b"AUTHENTICATE PLAIN",
    b"AUTHENTICATE PLAIN AHVzZXIxAHBhc3M=", b"LOGIN user1 pass", b'LOGIN "user1" {4+}\r\npass', b"STARTTLS",
]
LMTP_SEEDS = [
    b"LHLO x", b"EHLO x", b"MAIL FROM:<a@example.org>", b"MAIL FROM:<> SIZE=100 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x",
    b"RCPT TO:<user1>", b"RCPT TO:<user1+Lists@example.org> NOTIFY=NEVER ORCPT=rfc822;a@b", b"RCPT TO:<nobody>", b"DATA",
    MESSAGE + b"\r\n.", b"..x\r\n.", b"BDAT 5\r\nhello", b"BDAT 0 LAST", b"BDAT 99999999999 LAST", b"RSET", b"NOOP", b"VRFY user1",
    b"QUIT", b"HELP", b'RCPT TO:<"user 1"@[127.0.0.1]>', b"AUTH PLAIN AHVzZXIxAHBhc3M=", b"STARTTLS",
]
POP3_SEEDS = [
    b"CAPA", b"USER user1", b"PASS pass", b"AUTH", b"AUTH PLAIN AHVzZXIxAHBhc3M=", b"STAT", b"LIST", b"LIST 1", b"UIDL", b"UIDL 1",
    b"RETR 1", b"TOP 1 0", b"TOP 1 999999", b"DELE 1", b"RSET", b"NOOP", b"QUIT", b"STLS", b"UTF8", b"LANG en", b"APOP x y",
]
STATES = {
    "imap": [[], [b"LOGIN user1 pass"], [b"LOGIN user1 pass", b"SELECT INBOX"], [b"LOGIN user1 pass", b"CREATE box0", b"SELECT box0"]],
    "lmtp": [[], [b"LHLO x"], [b"LHLO x", b"MAIL FROM:<a@b>"], [b"LHLO x", b"MAIL FROM:<a@b>", b"RCPT TO:<user1>", b"DATA"]],
    "pop3": [[], [b"USER user1"], [b"USER user1", b"PASS pass"]],
}
SEEDS = {"imap": IMAP_SEEDS, "lmtp": LMTP_SEEDS, "pop3": POP3_SEEDS}
DELIMITERS = b" (){}[]\"\\%*,:<>\r\n+-.$~\x00\x80\xff0123456789"


def mutate(rng, line, others):
    """`line` with up to four random edits."""
    data = bytearray(line)
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(7)
        if kind == 0:
            data[at:at] = bytes([rng.choice(DELIMITERS)])
        elif kind == 1 and data:
            del data[at:at + rng.randrange(1, 8)]
        elif kind == 2 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 3:
            other = rng.choice(others)
            data[at:] = other[rng.randrange(len(other)):]
        elif kind == 4:
            data[at:at] = data[max(0, at - 12):at] * rng.choice((2, 30, 400))
        elif kind == 5:
            data[at:at] = str(rng.choice((0, 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64))).encode()
        else:
            data[at:at] = rng.randbytes(rng.randrange(1, 20))
    return bytes(data)


class Fuzzer:
    """One protocol against one instance."""

    def __init__(self, server, protocol, rng):
        self.server, self.protocol, self.rng = server, protocol, rng
        self.sessions = self.commands = 0

    def connect(self):
        port = getattr(self.server, f"{self.protocol}_port")
        peer = socket.create_connection((self.server.host, port), timeout=20)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.recv(4096)
        return peer

    def framed(self, line):
        return b"t%d %s\r\n" % (self.commands, line) if self.protocol == "imap" else line + b"\r\n"

    def session(self):
        """One connection: into a state, then some commands."""
        self.sessions += 1
        seeds = SEEDS[self.protocol]
        lines = [self.framed(line) for line in self.rng.choice(STATES[self.protocol])]
        for _ in range(self.rng.randrange(1, 12)):
            self.commands += 1
            line = self.rng.choice(seeds).replace(b"{n}", b"%d" % self.rng.randrange(5))
            line = mutate(self.rng, line, seeds)
            lines.append(self.framed(line) if self.rng.random() < 0.95 else line)
        if self.rng.random() < 0.05:
            lines.append(self.rng.randbytes(self.rng.randrange(20000)))
        self.say(b"".join(lines))

    def say(self, data):
        peer = self.connect()
        try:
            while data:
                size = self.rng.choice((1, 3, 20, 200, 4000, len(data)))
                peer.sendall(data[:size])
                data = data[size:]
            peer.shutdown(socket.SHUT_WR)
            peer.settimeout(20)
            while peer.recv(65536):
                pass
        except (ConnectionError, BrokenPipeError):
            pass  # the server may close on nonsense
        finally:
            peer.close()


def plant_canary(server):
    with smtplib.LMTP(server.host, server.lmtp_port) as peer:
        peer.sendmail("canary@example.org", ["user2"], CANARY)


def check_canary(server):
    peer = imaplib.IMAP4(server.host, server.imap_port)
    peer.login("user2", "pass")
    peer.select("INBOX", readonly=True)
    _, data = peer.fetch("1", "(BODY.PEEK[])")
    peer.logout()
    if not data or not data[0] or CANARY not in data[0][1]:
        raise AssertionError(f"the message that was there is lost: {data!r}")


def complaints(log, since):
    text = Path(log).read_text(errors="replace")[since:]
    return [line for line in text.splitlines() if BAD_LOG.search(line)]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("protocol", choices=sorted(SEEDS))
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--port-base", type=int, default=23000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="postern-fuzz-") as folder:
        server = live.make("postern", Path(folder) / "instance", given.port_base, 2)
        with server:
            plant_canary(server)
            started = Path(server.env["LOG"]).stat().st_size
            fuzzer = Fuzzer(server, given.protocol, random.Random(given.seed))
            end = time.monotonic() + given.seconds
            while time.monotonic() < end:
                fuzzer.session()
                if fuzzer.sessions % 200 == 0:
                    check_canary(server)
            check_canary(server)
            found = complaints(server.env["LOG"], started)
            code, output = server.check()
    print("\n".join(found[:50]))
    print(f"seed {given.seed}: {fuzzer.sessions} sessions, {fuzzer.commands} commands, "
          f"{len(found)} complaints, check exit {code}")
    if code != 0:
        print(output)
    return 1 if found or code != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
