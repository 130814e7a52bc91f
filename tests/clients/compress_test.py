#!/usr/bin/python3
"""COMPRESS=DEFLATE (RFC 4978) with zlib at the client's end, plain and inside TLS, and with
Perl's Mail::IMAPClient."""

import os
import re
import signal
import socket
import ssl
import time
import zlib
from pathlib import Path

import harness
from harness import make_message
from live.instance import PASSWORD

PERL = """
use strict; use warnings; use Mail::IMAPClient;
my ($host, $port, $user) = @ARGV;
my $imap = Mail::IMAPClient->new(Server => $host, Port => $port, User => $user, Password => 'pass',
  Uid => 1) or die "login: $@";
$imap->has_capability('COMPRESS=DEFLATE') or die 'no capability';
$imap->compress or die 'compress: ' . $imap->LastError;
$imap->append('INBOX', "Subject: squeezed\\r\\n\\r\\n" . ("text\\r\\n" x 1000)) or die $imap->LastError;
$imap->select('INBOX') or die $imap->LastError;
for my $uid ($imap->messages) { print $imap->message_string($uid); }
$imap->logout or die $imap->LastError;
"""


class Compressed:
    """An IMAP client that compresses from the OK to COMPRESS on."""

    def __init__(self, server, tls=False):
        port = server.imaps_port if tls else server.imap_port
        self.socket = socket.create_connection((server.host, port), timeout=20)
        self.port = self.socket.getsockname()[1]
        if tls:
            self.socket = ssl._create_unverified_context().wrap_socket(self.socket)
        self.buffer = b""
        self.deflate = self.inflate = None
        self.tag = self.received = 0
        self.line()

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("closed")
        self.received += len(data)
        self.buffer += self.inflate.decompress(data) if self.inflate else data

    def line(self):
        while b"\r\n" not in self.buffer:
            self.receive()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode()

    def send(self, data, flush=zlib.Z_SYNC_FLUSH):
        if self.deflate:
            data = self.deflate.compress(data) + self.deflate.flush(flush)
        self.socket.sendall(data)

    def answer(self, tag):
        """The untagged lines and the tagged one; literals come as lines too."""
        lines = []
        while True:
            lines.append(self.line())
            if lines[-1].startswith(tag + " "):
                return lines

    def ask(self, text, expected="OK"):
        self.tag += 1
        tag = f"a{self.tag}"
        self.send(f"{tag} {text}\r\n".encode())
        lines = self.answer(tag)
        if not lines[-1].startswith(f"{tag} {expected}"):
            raise AssertionError(f"{text}: {lines[-1]}")
        return lines

    def compress(self, behind=b""):
        """COMPRESS; `behind`: octets that are sent with the command, in the same packet."""
        self.tag += 1
        self.socket.sendall(f"a{self.tag} COMPRESS DEFLATE\r\n".encode() + behind)
        line = self.line()
        if not line.startswith(f"a{self.tag} OK"):
            raise AssertionError(line)
        rest, self.buffer = self.buffer, b""
        self.inflate = zlib.decompressobj(-15)
        self.deflate = self.deflate or zlib.compressobj(wbits=-15)
        self.buffer = self.inflate.decompress(rest)

    def log_in(self, user):
        self.ask(f"LOGIN {user} {PASSWORD}")
        return self

    def append(self, text):
        self.tag += 1
        self.send(f"a{self.tag} APPEND INBOX {{{len(text)}}}\r\n".encode())
        while not self.line().startswith("+"):
            pass
        self.send(text + b"\r\n")
        return self.answer(f"a{self.tag}")

    def close(self):
        self.socket.close()


class Compress(harness.ClientTest):
    settings = ["service.imap.linger=0"]  # each command finds the session parked

    def setUp(self):
        super().setUp()
        self.user = self.new_user()

    def client(self, tls=False):
        client = Compressed(self.server, tls).log_in(self.user)
        self.addCleanup(client.close)
        return client

    def test_is_offered_after_login_until_it_is_active(self):
        client = Compressed(self.server)
        self.addCleanup(client.close)
        self.assertNotIn("COMPRESS", client.ask("CAPABILITY")[0])
        client.ask("COMPRESS DEFLATE", "BAD")
        client.log_in(self.user)
        self.assertIn(" COMPRESS=DEFLATE", client.ask("CAPABILITY")[0])
        client.ask("COMPRESS LZ4", "BAD")
        client.compress()
        self.assertNotIn("COMPRESS", client.ask("CAPABILITY")[0])
        client.ask("COMPRESS DEFLATE", "BAD")

    def exchange(self, tls):
        message = make_message(1, size=300000)
        client = self.client(tls)
        client.ask("SELECT INBOX")  # the selected mailbox stays selected
        client.compress()
        client.append(message)
        before = client.received
        lines = client.ask("FETCH 1 BODY[]")
        self.assertIn(f"* 1 FETCH (BODY[] {{{len(message)}}}", lines[0])
        got = "\r\n".join(lines[1:])
        self.assertTrue(got.startswith(message.decode()))
        self.assertLess(client.received - before, len(message) // 3)
        client.ask("LOGOUT")
        self.assertRaises(EOFError, client.line)

    def test_plain(self):
        self.exchange(False)

    def test_inside_tls(self):
        self.exchange(True)

    def test_news_reach_a_parked_session_in_idle(self):
        client = self.client()
        client.compress()
        client.ask("SELECT INBOX")
        client.send(b"i IDLE\r\n")
        self.assertTrue(client.line().startswith("+"))
        for number in range(1, 4):
            self.deliver(self.user, make_message(number))
            while client.line() != f"* {number} EXISTS":
                pass
        client.send(b"DONE\r\n")
        self.assertTrue(client.answer("i")[-1].startswith("i OK"))

    def test_state_that_rested_is_taken_up_again(self):
        """After a second without traffic transportd drops zlib's state; both windows must fit."""
        client = self.client()
        client.compress()
        for number in range(1, 4):
            text = os.urandom(3000).hex()  # larger than what is kept of either direction's past
            self.assertIn(" OK ", client.append(f"X: {text}\r\n\r\n".encode())[-1])
            client.ask("SELECT INBOX")
            self.assertIn(text, "".join(client.ask(f"FETCH {number} BODY[HEADER]")))
            time.sleep(2.5)  # the state goes in the sweep after a second of silence

    def test_compressed_octets_behind_the_command_are_taken_as_such(self):
        """RFC 4978 §3 wants the client to wait; what comes all the same is compressed or wrong."""
        client = self.client()
        client.deflate = zlib.compressobj(wbits=-15)
        behind = client.deflate.compress(b"n NOOP\r\n") + client.deflate.flush(zlib.Z_SYNC_FLUSH)
        client.compress(behind)
        self.assertTrue(client.answer("n")[-1].startswith("n OK"))
        client.ask("NOOP")

    def test_plain_octets_behind_the_command_never_run(self):
        client = self.client()
        client.compress(b"n CREATE injected\r\n")
        self.assertRaises((EOFError, OSError), client.line)
        self.assertEqual([line for line in self.client().ask('LIST "" *') if "injected" in line], [])

    def test_one_octet_at_a_time(self):
        client = self.client()
        client.compress()
        data = client.deflate.compress(b"n NOOP\r\n") + client.deflate.flush(zlib.Z_SYNC_FLUSH)
        for at in range(len(data)):
            client.socket.sendall(data[at:at + 1])
        self.assertTrue(client.answer("n")[-1].startswith("n OK"))

    def processes(self, program):
        """Process ids of the instance's `program`."""
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if (words[0].endswith(b"/" + program.encode())
                    and self.server.env["CONFIG"].encode() in words):
                yield int(entry.name)

    def memory(self):
        """Memory of all transportd processes, in MiB."""
        texts = [Path(f"/proc/{pid}/smaps_rollup").read_text()
                 for pid in self.processes("transportd")]
        return sum(int(re.search(r"Pss: +(\d+)", text)[1]) for text in texts) / 1024

    def test_a_decompression_bomb_meets_the_limits_of_lines(self):
        before = self.memory()
        client = self.client()
        client.compress()
        bomb = client.deflate.compress(b"x" * (64 << 20)) + client.deflate.flush()
        self.assertLess(len(bomb), 100000)
        try:
            client.socket.sendall(bomb)
            while client.line():
                pass
        except (EOFError, OSError, zlib.error):
            pass
        self.assertLess(self.memory() - before, 16)
        self.client().ask("NOOP")

    def test_a_killed_transportd_ends_only_its_sessions(self):
        """Also what it compressed: the peer sees the end, nothing hangs."""
        client, other = self.client(), self.client()
        client.compress()
        for pid in self.processes("transportd"):
            os.kill(pid, signal.SIGKILL)
        self.assertRaises((EOFError, OSError), client.line)
        other.ask("NOOP")

    def test_porter_may_die_in_the_middle_of_the_hand_over(self):
        for round_ in range(20):
            client = self.client()
            client.ask("SELECT INBOX")
            porter = max(self.processes("porter"))  # one of the two: the other replaces it
            client.tag += 1
            client.socket.sendall(f"a{client.tag} COMPRESS DEFLATE\r\n".encode())
            time.sleep(round_ * 0.0004)
            os.kill(porter, signal.SIGKILL)
            self.assertIn(" OK ", client.line())
            client.inflate, client.deflate = zlib.decompressobj(-15), zlib.compressobj(wbits=-15)
            client.ask("CLOSE")  # still in the selected state
            client.ask("LOGOUT")

    def test_mail_imapclient_of_perl(self):
        script = self.write("compress.pl", PERL)
        out = harness.run(["perl", script, self.server.host, str(self.server.imap_port), self.user])
        self.assertIn(b"Subject: squeezed\r\n", out)
        self.assertEqual(out.count(b"text\r\n"), 1000)


if __name__ == "__main__":
    harness.need("perl")
    harness.main()
