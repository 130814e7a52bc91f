"""Runs a file of client tests against a private server instance, which is wiped afterwards.

A test file ends with `harness.main()`; it is started as

    tests/clients/mbsync_test.py [--port-base N] [--dir DIR] [--corpus DIR] [--against dovecot] [TEST …]

Every test method gets users of its own (`self.new_user()`), so tests don't see each other's mail.
Exit status 77 (CTest: skipped) when the client isn't installed. `--against dovecot` is how a test
is known to be right where it fails.
"""

import argparse
import email.utils
import imaplib
import re
import shutil
import smtplib
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import live  # noqa: E402
from live.instance import PASSWORD  # noqa: E402

SKIPPED = 77
USERS = 16
CORPUS = HERE.parent / "corpus"


class ImapClient(imaplib.IMAP4):
    """imaplib with answers as values; a command that isn't OK raises."""

    def __init__(self, server, user):
        super().__init__(server.host, server.imap_port)
        self.login(user, PASSWORD)

    def ok(self, answer):
        """The data of `answer`, which must be OK."""
        if answer[0] != "OK":
            raise AssertionError(f"expected OK, got {answer}")
        return answer[1]

    def choose(self, mailbox="INBOX"):
        """SELECTs `mailbox`; returns EXISTS."""
        return int(self.ok(self.select(f'"{mailbox}"'))[0])

    def uids(self, criteria="ALL"):
        return [int(uid) for uid in self.ok(self.uid("SEARCH", criteria))[0].split()]

    def body(self, uid):
        """The octets of a message, \\Seen left alone."""
        data = self.ok(self.uid("FETCH", str(uid), "(BODY.PEEK[])"))
        return next(part[1] for part in data if isinstance(part, tuple))

    def flags(self, uid):
        """The flags of a message as a set of str, \\Recent left out."""
        data = self.ok(self.uid("FETCH", str(uid), "(FLAGS)"))
        flags = imaplib.ParseFlags(next(line for line in data if line))
        return {flag.decode() for flag in flags} - {"\\Recent"}

    def add(self, mailbox, message, flags=""):
        self.ok(self.append(f'"{mailbox}"', flags, None, message))

    def store_flags(self, uid, operation, flags):
        self.ok(self.uid("STORE", str(uid), operation, f"({flags})"))

    def bodies(self, mailbox="INBOX"):
        """{Message-ID or octets: octets} of every message; a Message-ID twice raises."""
        self.choose(mailbox)
        found = {}
        for uid in self.uids():
            octets = self.body(uid)
            key = message_id(octets)
            if key in found:
                raise AssertionError(f"{mailbox} holds {key} twice")
            found[key] = octets
        return found


class LmtpClient(smtplib.LMTP):
    """One LMTP connection; `deliver` raises unless every recipient got 250."""

    def __init__(self, server):
        super().__init__(server.host, server.lmtp_port)
        self.ehlo_or_helo_if_needed()

    def deliver(self, recipients, message, sender="sender@example.net"):
        refused = self.sendmail(sender, recipients, message)
        if refused:
            raise AssertionError(f"refused: {refused}")


def message_id(octets):
    """The Message-ID of a message as bytes; the octets themselves where there is none."""
    header = octets.split(b"\r\n\r\n", 1)[0]
    found = re.search(rb"^message-id:\s*(\S+)", header, re.I | re.M)
    return found.group(1) if found else octets


def make_message(number, size=0, subject="Test"):
    """A small message with CRLF line ends; `size` adds about that many octets of text."""
    text = "".join(f"Line {line} of message {number}.\r\n" for line in range(1 + size // 30))
    return (f"From: Anna <anna@example.net>\r\nTo: user@example.org\r\n"
            f"Subject: {subject} {number}\r\nDate: {email.utils.formatdate(1.7e9 + number)}\r\n"
            f"Message-ID: <{number}.{subject.lower()}@example.net>\r\n\r\n{text}").encode()


def corpus_messages(folder):
    """(name, octets with CRLF, also at the end) of every *.eml in `folder`, sorted."""
    for path in sorted(Path(folder).glob("*.eml")):
        octets = re.sub(rb"(?<!\r)\n", b"\r\n", path.read_bytes())
        yield path.name, octets if octets.endswith(b"\r\n") else octets + b"\r\n"


def need(*programs):
    """Ends the test program as skipped unless every one of `programs` is installed."""
    missing = [program for program in programs if not shutil.which(program, path=PATH)]
    if missing:
        print(f"not installed: {', '.join(missing)}")
        sys.exit(SKIPPED)


PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run(command, status=(0,), **options):
    """Runs a client; returns its output, raises with it on another exit status."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, **options)
    if done.returncode not in status:
        raise AssertionError(f"{command}: exit {done.returncode}\n"
                             + done.stdout.decode(errors="replace")[-3000:])
    return done.stdout


class ClientTest(unittest.TestCase):
    """Base of all client tests. `settings` are options for Postern (key=value)."""

    server = None  # the running instance
    options = None  # the command line
    settings = []
    _users_given = 0

    def setUp(self):
        self.home = Path(tempfile.mkdtemp(prefix="postern-client."))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def new_user(self):
        """The name of a user that no other test of this run has."""
        ClientTest._users_given += 1
        if ClientTest._users_given > USERS:
            raise AssertionError("more users asked for than the instance has: raise USERS")
        return f"user{ClientTest._users_given}"

    def imap(self, user):
        client = ImapClient(self.server, user)
        self.addCleanup(close_quietly, client)
        return client

    def deliver(self, user, *messages):
        with LmtpClient(self.server) as client:
            for message in messages:
                client.deliver([user], message)

    def write(self, name, text, mode=0o600):
        """A file of the client in its own home; returns its path."""
        path = self.home / name
        path.write_text(text)
        path.chmod(mode)
        return path


def close_quietly(client):
    try:
        client.logout()
    except (OSError, imaplib.IMAP4.error):
        pass


def arguments():
    parser = argparse.ArgumentParser(description="Tests Postern with software of others.")
    parser.add_argument("--against", default="postern", choices=sorted(live.SERVERS))
    parser.add_argument("--port-base", type=int, default=24000)
    parser.add_argument("--dir", help="folder of the instance (default: a new one in /var/tmp)")
    parser.add_argument("--corpus", default=str(CORPUS), help="folder of *.eml for the MTA test")
    return parser.parse_known_args()


def main():
    """Runs all tests of the calling file."""
    options, rest = arguments()
    folder = options.dir or tempfile.mkdtemp(prefix="postern-live.", dir="/var/tmp")
    Path(folder).chmod(0o755)
    if options.against != "postern":
        subprocess.run([str(HERE.parent / "live" / "install"), options.against.split("-")[0]],
                       check=True)
    server = live.make(options.against, folder, options.port_base, USERS)
    server.settings = [setting for kind in vars(sys.modules["__main__"]).values()
                       if isinstance(kind, type) and issubclass(kind, ClientTest)
                       for setting in kind.settings]
    ClientTest.server, ClientTest.options = server, options
    with server:
        program = unittest.main(module="__main__", argv=sys.argv[:1] + rest, exit=False,
                                verbosity=2)
    sys.exit(0 if program.result.wasSuccessful() else 1)
