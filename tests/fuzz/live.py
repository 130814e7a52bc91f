#!/usr/bin/env python3
"""Fuzzes a live server over its sockets: random octets, generated and mutated commands, from every
connection state, cut into packets at random, with and without TLS, several sessions at once.

    live.py imap|lmtp|pop3|sieve [--seconds N] [--seed S] [--port-base N] [--keep FOLDER]
    live.py PROTOCOL --replay FILE…

The server is a private instance of the build that POSTERN_PRESET names. The run fails if a process
dies, a sanitizer reports, the server logs an error, a connection hangs, `postern check` finds
damage, or a message that was there before or came meanwhile is not there, octet for octet. What
the last sessions had sent is then in FOLDER, for --replay.
"""

import argparse
import base64
import collections
import contextlib
import faulthandler
import random
import re
import select
import shutil
import socket
import ssl
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clients"))
import live  # noqa: E402
from grammar import PROTOCOLS, Speaker  # noqa: E402
from harness import CORPUS, ImapClient, LmtpClient, close_quietly, corpus_messages  # noqa: E402

VICTIMS = 8  # users whose mail the sessions may change; user1 is the witness
PATIENCE = 60  # seconds after which a silent connection counts as hanging
TURN = 300  # sessions with one user before it is the next one's turn
QUOTA = "(STORAGE 20000 MESSAGE 300 MAILBOX 40)"  # else copies of copies fill the disk
MOST_FINDINGS = 5
BAD_LOG = re.compile(r"Sanitizer|runtime error:|Assertion|event=process\.abort|^\S+ error \w+\[")
POSITIVE = re.compile(rb"^(?:t\d+ OK|2\d\d |\+OK|OK)", re.M)
# Nobody waits for the answer to a wrong password.
SETTINGS = ["auth.failure_delay=0", "auth.failure_delay_max=0"]
SCRIPT = b"""require ["fileinto", "mailbox", "imap4flags", "variables", "body", "envelope", "subaddress"];
if header :matches "subject" "*x*" { set "box" "${1}"; addflag "\\\\Flagged"; }
if envelope :detail "to" "a" { discard; stop; }
if body :text :contains "two" { fileinto :create "box1"; }
if size :over 10K { fileinto :create "Large/${box}"; keep; }
"""


class Witness:
    """user1's mail: what was delivered or appended there stays as it is."""

    def __init__(self, server):
        self.server = server
        self.known = {}  # uid: octets
        client = ImapClient(server, "user1")
        for _, octets in corpus_messages(CORPUS):
            client.add("INBOX", octets, "(\\Seen kept)")
        self.expected = [octets for _, octets in corpus_messages(CORPUS)]
        close_quietly(client)

    def deliver(self):
        octets = (f"From: a@example.org\r\nSubject: {len(self.expected)}\r\n\r\n"
                  f"{random.random()}\r\n.\r\n{'x' * len(self.expected)}\r\n").encode()
        self.expected.append(octets)
        with LmtpClient(self.server) as client:
            client.deliver(["user1"], octets)

    def check(self):
        """Raises unless every message is there, once, where it was."""
        client = ImapClient(self.server, "user1")
        client.choose("INBOX")
        found = {uid: client.body(uid) for uid in client.uids()}
        close_quietly(client)
        for uid, octets in self.known.items():
            if found.get(uid) != octets:
                raise AssertionError(f"uid {uid} was {octets!r}, is {found.get(uid)!r}")
        if len(found) != len(self.expected):
            raise AssertionError(f"{len(self.expected)} messages were taken, {len(found)} are there")
        for octets, (uid, now) in zip(self.expected, sorted(found.items())):
            if not now.endswith(octets):
                raise AssertionError(f"uid {uid} should end with {octets!r}, is {now!r}")
        self.known = found


class Complaints:
    """Bad lines of the server's log."""

    def __init__(self, path):
        self.path, self.offset, self.lock = Path(path), 0, threading.Lock()

    def fresh(self):
        with self.lock, self.path.open("rb") as log:
            log.seek(self.offset)
            text = log.read()
            end = text.rfind(b"\n") + 1
            self.offset += end
        return [line for line in text[:end].decode("latin-1").splitlines() if BAD_LOG.search(line)]


class Silence(Exception):
    """The server has done nothing for too long."""


class Peer:
    """A connection whose answers are taken while it sends, or the two ends would wait for each
    other. One thread does both: OpenSSL dies when two use a TLS connection at once, and Python
    (before 3.13) doesn't keep them apart."""

    LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

    def __init__(self, connection):
        self.socket, self.answers, self.ended = connection, [], False
        connection.setblocking(False)

    def send(self, octets):
        while octets:
            reading = [] if self.ended else [self.socket]
            readable, writable, _ = select.select(reading, [self.socket], [], PATIENCE)
            if not readable and not writable:
                raise Silence("takes no octets")
            if readable:
                self.take()
            with contextlib.suppress(*self.LATER):
                octets = octets[self.socket.send(octets):]

    def take(self):
        """What has come."""
        with contextlib.suppress(*self.LATER):
            while data := self.socket.recv(65536):
                self.answers.append(data)
            self.ended = True

    def listen(self, seconds):
        """Takes what comes until the end, or until nothing has come for so long; whether it is the
        end."""
        while not self.ended and select.select([self.socket], [], [], seconds)[0]:
            self.take()
        return self.ended

    def leave(self, how):
        """Closes one direction or both, and waits for the server's end."""
        socket.socket.shutdown(self.socket, how)  # SSLSocket's own would read no TLS from here on
        if not self.listen(PATIENCE):
            raise Silence("neither an answer nor an end")

    def close(self):
        self.socket.close()


class Fuzzer:
    """One protocol against one instance; sessions may run in several threads."""

    def __init__(self, server, protocol, keep):
        self.server, self.protocol, self.keep = server, protocol, keep
        self.log = Complaints(server.env["LOG"])
        self.sessions = self.commands = 0
        self.accepted = 0  # positive answers: how deep all this gets
        self.findings = []
        self.recent = collections.deque(maxlen=12)  # what the last sessions sent
        self.tls = ssl.create_default_context()
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    def run(self, seed, end):
        """Sessions until `end`, or too many findings."""
        rng = random.Random(seed)
        speaker = Speaker(self.protocol, rng)
        while time.monotonic() < end and len(self.findings) < MOST_FINDINGS:
            self.sessions += 1
            self.play(rng, self.words(rng, speaker))

    def play(self, rng, data):
        self.recent.append(data)
        if trouble := self.say(rng, data) or self.log.fresh():
            self.found(trouble)

    def words(self, rng, speaker):
        """What one session says: lines that lead into a state, then commands, sometimes noise."""
        user = f"user{2 + self.sessions // TURN % VICTIMS}"
        fill = {"u": user, "auth": base64.b64encode(f"\0{user}\0pass".encode()).decode()}
        lines = speaker.state(fill) + [speaker.line(fill) for _ in range(rng.randrange(12))]
        self.commands += len(lines)
        data = b"".join(self.framed(rng, number, line) for number, line in enumerate(lines))
        return data + rng.randbytes(rng.randrange(20000)) if rng.random() < 0.05 else data

    def framed(self, rng, number, line):
        tag = b"t%d " % number if self.protocol == "imap" else b""
        return b"" if rng.random() < 0.02 else tag + line + (b"\r\n" if rng.random() < 0.98 else b"\n")

    def connect(self, rng):
        implicit = getattr(self.server, f"{self.protocol}s_port", None)
        if implicit and rng.random() < 0.1:
            return self.tls.wrap_socket(socket.create_connection((self.server.host, implicit), PATIENCE))
        port = int(self.server.env[f"{self.protocol.upper()}_PORT"])
        peer = socket.create_connection((self.server.host, port), PATIENCE)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return peer

    def say(self, rng, data):
        """Sends `data`; what went wrong, else nothing."""
        try:
            peer = Peer(self.connect(rng))
        except OSError as error:
            return [f"no connection: {error}"]
        trouble = []
        try:
            while data:
                size = rng.choice((1, 3, 20, 200, 4000, len(data)))
                peer.send(data[:size])
                data = data[size:]
                if rng.random() < 0.02:
                    peer.listen(0.01)  # long enough that the session may be parked
            # Some clients just vanish; the others wait for the end.
            peer.leave(socket.SHUT_WR if rng.random() < 0.9 else socket.SHUT_RDWR)
        except Silence as silence:
            trouble.append(f"hangs: {silence} for {PATIENCE} s")
        except OSError:
            pass  # the server may close on nonsense
        peer.close()
        self.accepted += len(POSITIVE.findall(b"".join(peer.answers)))
        return trouble

    def found(self, trouble):
        """Notes a finding, with what was sent before it."""
        self.findings.append(trouble)
        print("\n".join(trouble[:40]), flush=True)
        self.keep.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(list(self.recent)):
            (self.keep / f"{self.protocol}-{len(self.findings)}-{number:02}").write_bytes(data)
        shutil.copy(self.log.path, self.keep / "log")


def prepare(server):
    """Victims with mail, a quota and a script."""
    admin = ImapClient(server, "admin")
    for number in range(2, 2 + VICTIMS):
        client = ImapClient(server, f"user{number}")
        for _, octets in corpus_messages(CORPUS):
            client.add("INBOX", octets)
        close_quietly(client)
        admin.ok(admin._simple_command("SETQUOTA", f"user/user{number}", QUOTA))
    close_quietly(admin)
    if "SIEVE_PORT" in server.env:
        for number in range(2, 2 + VICTIMS, 2):
            put_script(server, f"user{number}")


def put_script(server, user):
    auth = base64.b64encode(f"\0{user}\0pass".encode())
    with socket.create_connection((server.host, int(server.env["SIEVE_PORT"])), PATIENCE) as peer:
        peer.sendall(b'AUTHENTICATE "PLAIN" "%s"\r\nPUTSCRIPT "main" {%d+}\r\n%s\r\nSETACTIVE "main"\r\n'
                     b"LOGOUT\r\n" % (auth, len(SCRIPT), SCRIPT))
        answer = b"".join(iter(lambda: peer.recv(4096), b""))
    if re.search(rb"^(NO|BYE)", answer, re.M):
        raise AssertionError(f"the script of {user}: {answer!r}")


def fuzz(fuzzer, witness, given):
    end = time.monotonic() + given.seconds
    threads = [threading.Thread(target=fuzzer.run, args=(f"{given.seed} {number}", end))
               for number in range(given.sessions)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        threads[0].join(min(10, max(0.5, given.seconds / 4)))
        witness.deliver()
        witness.check()


def replay(fuzzer, files):
    rng = random.Random(1)
    for file in files:
        fuzzer.sessions += 1
        fuzzer.play(rng, Path(file).read_bytes())


def arguments():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("protocol", choices=sorted(PROTOCOLS))
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--seed", default="1")
    options.add_argument("--sessions", type=int, default=3, help="at the same time")
    options.add_argument("--parked", action="store_true", help="park at every command boundary")
    options.add_argument("--port-base", type=int, default=23000)
    options.add_argument("--keep", type=Path, help="folder for what led to findings")
    options.add_argument("--replay", nargs="+", default=[], metavar="FILE")
    return options.parse_args()


def main():
    faulthandler.enable()
    given = arguments()
    keep = given.keep or Path(tempfile.gettempdir()) / f"postern-fuzz-findings-{given.protocol}"
    with tempfile.TemporaryDirectory(prefix="postern-fuzz-") as folder:
        Path(folder).chmod(0o755)  # the server runs as another user
        server = live.make("postern", Path(folder) / "instance", given.port_base, 1 + VICTIMS)
        server.settings = list(SETTINGS)
        if given.parked:
            server.settings += [f"service.{name}.linger=0" for name in ("imap", "pop3", "lmtp")]
        with server:
            prepare(server)
            witness = Witness(server)
            fuzzer = Fuzzer(server, given.protocol, keep)
            if given.replay:
                replay(fuzzer, given.replay)
            else:
                fuzz(fuzzer, witness, given)
            witness.check()
            code, output = server.check()
            server.quickstart("stop")  # what dies late is found too
            if trouble := fuzzer.log.fresh():
                fuzzer.found(trouble)
    print(f"{given.protocol}, seed {given.seed}: {fuzzer.sessions} sessions, {fuzzer.commands} lines, "
          f"{fuzzer.accepted} accepted, "
          f"{len(witness.expected)} messages kept, {len(fuzzer.findings)} findings, check exit {code}")
    if fuzzer.findings:
        print(f"what was sent before: {keep}")
    if code != 0:
        print(output)
    return 1 if fuzzer.findings or code != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
