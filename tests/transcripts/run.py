#!/usr/bin/env python3
"""Plays transcripts against a live server of its own.

    run.py [--octets] [--parked] [--port-base N] [--dev BUILD] FILE-OR-FOLDER…

Each transcript runs against users that no other one has. --octets sends one octet at a time;
--parked makes the server park every session at each command boundary. Afterwards the store is
checked: a transcript that leaves a damaged mailbox fails whatever it printed.
"""

import argparse
import base64
import re
import socket
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import live  # noqa: E402
import transcript as script  # noqa: E402

PATIENCE = 10  # seconds for any one answer
ESCAPE = re.compile(rb"\\(r|n|t|\\|x[0-9a-fA-F]{2})")
ESCAPED = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}


class Mismatch(Exception):
    """The server's answer is not the transcript's."""


class Connection:
    """One client's socket; lines are latin-1 so that any octet can be matched."""

    def __init__(self, address, octets):
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.octets = octets
        self.buffer = b""
        self.tag = 0

    def send(self, data):
        try:
            for piece in ([data[i:i + 1] for i in range(len(data))] if self.octets else [data]):
                self.socket.sendall(piece)
        except OSError:
            pass  # a server that has closed is found out when its answer is read

    def line(self):
        while b"\n" not in self.buffer:
            try:
                data = self.socket.recv(65536)
            except socket.timeout:
                raise Mismatch(f"no answer for {PATIENCE} s; unfinished: {self.buffer!r}") from None
            except OSError as error:
                raise Mismatch(f"the server closed the connection ({error})") from None
            if not data:
                raise Mismatch(f"the server closed the connection; unfinished: {self.buffer!r}")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.removesuffix(b"\r").decode("latin-1")

    def expect_close(self):
        if self.buffer:
            raise Mismatch(f"instead of closing: {self.buffer!r}")
        try:
            data = self.socket.recv(65536)
        except socket.timeout:
            raise Mismatch(f"still open after {PATIENCE} s") from None
        except ConnectionResetError:
            return
        if data:
            raise Mismatch(f"instead of closing: {data!r}")

    def command(self, text):
        """An IMAP command of the set-up; its untagged lines. Fails unless it is answered OK."""
        self.tag += 1
        tag = f"given{self.tag}"
        self.send(f"{tag} {text}\r\n".encode("utf-8"))
        lines = []
        while True:
            line = self.line()
            if line.startswith(tag + " "):
                if not line.startswith(tag + " OK"):
                    raise Mismatch(f"given: {text!r} was answered {line!r}")
                return lines
            lines.append(line)

    def greeting(self, protocol):
        if protocol == "sieve":
            self.sieve_command(None)
        else:
            self.line()

    def sieve_command(self, text):
        """A ManageSieve command of the set-up, or only its answer: up to OK."""
        if text is not None:
            self.send(f"{text}\r\n".encode("utf-8"))
        while not (answer := self.line()).startswith("OK"):
            if answer.startswith(("NO", "BYE")):
                raise Mismatch(f"given: {text!r} was answered {answer!r}")

    def append(self, mailbox, message, flags=""):
        self.tag += 1
        tag = f"given{self.tag}"
        self.send(f"{tag} APPEND {quoted(mailbox)} ({flags}) {{{len(message)}}}\r\n".encode())
        while not self.line().startswith("+"):
            pass
        self.send(message + b"\r\n")
        while not (line := self.line()).startswith(tag + " "):
            pass
        if " OK" not in line:
            raise Mismatch(f"given: APPEND was answered {line!r}")


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def plain_login(user):
    secret = base64.b64encode(f"\0{user}\0pass".encode()).decode()
    return f'AUTHENTICATE "PLAIN" "{secret}"'


def message(number):
    """The `number`th message of a mailbox: always the same octets."""
    return (f"From: Sender {number} <sender{number}@example.org>\r\n"
            f"To: Anna <anna@example.org>\r\nSubject: message {number}\r\n"
            f"Date: Mon, {number % 28 + 1:02} Jan 2024 12:00:00 +0000\r\n"
            f"Message-ID: <{number}@example.org>\r\n\r\nbody {number}\r\n").encode()


class Player:
    """Plays one transcript."""

    def __init__(self, server, transcript, users, octets):
        self.server = server
        self.transcript = transcript
        self.users = users
        self.octets = octets
        self.protocol = transcript.path.suffix.lstrip(".")
        self.connections = {}
        self.remembered = {}
        self.skipping = {}  # connection: may skip lines until the next expectation matches

    def play(self):
        try:
            for number, text in self.transcript.givens:
                self.at(number, lambda t=text: self.given(script.with_users(t, self.users)))
            for step in self.transcript.steps:
                self.at(step.line, lambda s=step: self.step(s))
        finally:
            for connection in self.connections.values():
                connection.socket.close()

    def at(self, number, action):
        try:
            action()
        except Mismatch as error:
            raise Mismatch(f"{self.transcript.path}:{number}: {error}") from None

    # What is given.

    GIVENS = (
        (r"mailbox (\S+) of (\w+)(?: with (\d+) messages?)?((?:, uid \S+ flagged [^,]+)*)$", "give_mailbox"),
        (r"mailbox (\S+)(?: with (\d+) messages?)?(, readable by anyone)?$", "give_shared"),
        (r"message (\S+) in (\S+) of (\w+)$", "give_message"),
        (r"acl of (\S+) of (\w+): (\S+) (\S+)$", "give_acl"),
        (r"script (\S+) of (\w+): (.+)$", "give_script"),
        (r"quota of (\S+) of (\w+): (\w+) (\d+)$", "give_quota"),
        (r"connection (\w+)(?: as (\w+))?((?:, [^,]+)*)$", "give_connection"),
    )

    def given(self, text):
        for pattern, method in self.GIVENS:
            if match := re.match(pattern, text):
                return getattr(self, method)(*match.groups())
        raise Mismatch(f"given: not understood: {text}")

    def imap_as(self, user, password="pass"):
        connection = Connection((self.server.host, self.server.imap_port), False)
        connection.line()
        connection.command(f"LOGIN {user} {password}")
        return connection

    def give_mailbox(self, name, user, count, flags):
        client = self.imap_as(user)
        if name.upper() != "INBOX":
            client.command(f"CREATE {quoted(name)}")
        for number in range(1, int(count or 0) + 1):
            client.append(name, message(number))
        for uid, which in re.findall(r", uid (\S+) flagged ([^,]+)", flags):
            client.command(f"SELECT {quoted(name)}")
            client.command(f"UID STORE {uid} +FLAGS.SILENT ({which})")
        client.command("LOGOUT")

    def give_shared(self, name, count, readable):
        admin = self.imap_as("admin")
        admin.command(f"CREATE {quoted(name)}")
        admin.command(f"SETACL {quoted(name)} admin lrswipkxtea")
        if readable:
            admin.command(f"SETACL {quoted(name)} anyone lrs")
        for number in range(1, int(count or 0) + 1):
            admin.append(name, message(number))
        admin.command("LOGOUT")

    def give_message(self, file, name, user):
        octets = (self.transcript.path.parent / file).read_bytes()
        client = self.imap_as(user)
        client.append(name, re.sub(rb"\r?\n", b"\r\n", octets))
        client.command("LOGOUT")

    def give_acl(self, name, user, identifier, rights):
        client = self.imap_as(user)
        client.command(f"SETACL {quoted(name)} {identifier} {rights}")
        client.command("LOGOUT")

    def give_script(self, name, user, text):
        self.imap_as(user).command("LOGOUT")  # the first login makes the mailboxes
        client = Connection((self.server.host, int(self.server.env["SIEVE_PORT"])), False)
        client.greeting("sieve")
        client.sieve_command(plain_login(user))
        client.sieve_command(f'PUTSCRIPT "{name}" {{{len(text.encode())}+}}\r\n{text}')
        client.socket.close()

    def give_quota(self, name, user, resource, limit):
        self.imap_as(user).command("LOGOUT")  # the first login makes the mailboxes
        box = f"user/{user}" if name.upper() == "INBOX" else f"user/{user}/{name}"
        admin = self.imap_as("admin")
        admin.command(f"SETQUOTA {quoted(box)} ({resource} {limit})")
        admin.command("LOGOUT")

    def give_connection(self, key, user, more):
        wishes = [wish for wish in more.split(", ") if wish]
        octets = self.octets and "octets together" not in wishes
        connection = Connection((self.server.host, self.port()), octets)
        self.connections[key] = connection
        if "greeting unread" not in wishes:
            connection.greeting(self.protocol)
        if user:
            self.log_in(connection, user)
        for wish in wishes:
            self.grant(connection, wish)

    def port(self):
        if self.protocol == "sieve":
            return int(self.server.env["SIEVE_PORT"])
        return getattr(self.server, f"{self.protocol}_port")

    def log_in(self, connection, user):
        if self.protocol == "imap":
            connection.command(f"LOGIN {user} pass")
            return
        if self.protocol == "sieve":
            connection.sieve_command(plain_login(user))
            return
        for line in (f"USER {user}", "PASS pass"):
            connection.send(line.encode() + b"\r\n")
            connection.line()

    @staticmethod
    def grant(connection, wish):
        verb, _, rest = wish.partition(" ")
        commands = {"enabled": "ENABLE {}", "selected": "SELECT {}", "examined": "EXAMINE {}"}
        if verb in commands:
            argument = rest if verb == "enabled" else quoted(rest)
            connection.command(commands[verb].format(argument))
        elif wish not in ("greeting unread", "octets together"):
            raise Mismatch(f"given: not understood: {wish}")

    # What is said and answered.

    def step(self, step):
        connection = self.connections.get(step.connection)
        if connection is None:
            raise Mismatch(f"no connection {step.connection} is given")
        text = script.fill(script.with_users(step.text, self.users), self.remembered)
        if step.action == ">":
            connection.send(text.encode("utf-8") + b"\r\n")
        elif step.action == ">>":
            connection.send(ESCAPE.sub(unescape, text.encode("utf-8")))
        elif step.action == "!":
            connection.expect_close()
        elif text == "...":
            self.skipping[step.connection] = True
        else:
            self.expect(connection, step.connection, text)

    def expect(self, connection, key, text):
        pattern = script.pattern_of(text.encode("utf-8").decode("latin-1"), self.remembered)
        skipped = []
        while True:
            try:
                line = connection.line()
            except Mismatch as error:
                raise Mismatch(f"expected {text!r}: {error}; skipped {skipped}") from None
            if match := pattern.fullmatch(line):
                self.skipping.pop(key, None)
                self.remembered.update({k: v for k, v in match.groupdict().items() if v})
                return
            if not self.skipping.get(key):
                raise Mismatch(f"expected {text!r}\n      but got {line!r}")
            skipped.append(line)


def unescape(match):
    code = match[1]
    return bytes([int(code[1:], 16)]) if code[:1] == b"x" else ESCAPED[code]


def collect(paths):
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*")
                              if p.suffix in (".imap", ".pop3", ".lmtp", ".sieve"))
        else:
            yield path


def play_all(server, paths, octets):
    """The failures, as texts."""
    failures, next_user = [], 1
    for path in paths:
        try:
            transcript = script.read(path)
            actors = script.actors_in(transcript)
            users = {actor: f"user{next_user + i}" for i, actor in enumerate(actors)}
            next_user += len(actors)
            Player(server, transcript, users, octets).play()
            print(f"ok    {path.relative_to(HERE)}", flush=True)
        except (Mismatch, ValueError) as error:
            print(f"FAIL  {error}", flush=True)
            failures.append(str(error))
    return failures


def users_needed(paths):
    return sum(len(script.actors_in(script.read(path))) for path in paths)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--octets", action="store_true")
    options.add_argument("--parked", action="store_true")
    options.add_argument("--port-base", type=int, default=15000)
    options.add_argument("--set", action="append", default=[], help="a configuration option for the server")
    options.add_argument("paths", nargs="+")
    given = options.parse_args()
    paths = [path.resolve() for path in collect(given.paths)]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="postern-transcripts-") as folder:
        Path(folder).chmod(0o755)  # the server runs as another user
        server = live.make("postern", Path(folder) / "instance", given.port_base,
                           max(1, users_needed(paths)))
        server.settings += given.set
        if given.parked:
            server.settings += ["service.imap.linger=0", "service.pop3.linger=0",
                                "service.lmtp.linger=0", "service.sieve.linger=0"]
        with server:
            failures = play_all(server, paths, given.octets)
            code, output = server.check()
            if code != 0:
                print(f"FAIL  postern check: exit {code}\n{output}")
                failures.append("check")
            if failures:
                print(Path(server.env["LOG"]).read_text(errors="replace")[-4000:])
    print(f"{len(paths) - len(failures)} passed, {len(failures)} failed, "
          f"{time.monotonic() - started:.1f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
