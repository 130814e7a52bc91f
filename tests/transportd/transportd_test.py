#!/usr/bin/env python3
"""transportd alone, against openssl s_client: this test plays master and porter.

    transportd_test.py /path/to/transportd
"""

import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else "transportd"
# Kinds and tags of lib/service/transport_message.h, then those of lib/service/message.h.
CERTIFICATE, PROFILE, TICKETS, APPLY, APPLIED, LISTENER, UNLISTEN, STOP = range(1, 9)
NAME, OCSP, TLS12, CIPHERS, KEYS, SERVICE, ALPN, PROXY, ERROR = range(1, 10)
START_TLS, REQUEST_ALPN, REQUEST_OK_LINE = 4, 60, 61


def tlv(tag, value):
    return struct.pack("<HI", tag, len(value)) + value


def fields(message):
    """The TLV fields of a message behind its kind, by tag."""
    found, at = {}, 1
    while at < len(message):
        tag, size = struct.unpack_from("<HI", message, at)
        found.setdefault(tag & 0x7FFF, []).append(message[at + 6:at + 6 + size])
        at += 6 + size
    return found


def make_certificate(folder, name):
    """A P-256 certificate for `name`: (chain, key) as paths."""
    chain, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                    "-keyout", key, "-out", chain], check=True, capture_output=True)
    return chain, key


class Transportd:
    """One process with its master's and porter's side."""

    def __init__(self, folder, certificates, keys, listener):
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.door, door = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.tls_door, tls_door = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self.control, self.door):
            end.settimeout(20)
        config = folder / "postern.toml"
        config.write_text(f'[log]\ntarget = "stderr"\n[tls]\nuser = "nobody"\nchroot = "{folder}"\n')
        ends = {"POSTERN_CONTROL_FD": theirs, "POSTERN_DOOR_FD": door, "POSTERN_TLS_DOOR_FD": tls_door}
        env = dict(os.environ, **{name: str(end.fileno()) for name, end in ends.items()})
        self.process = subprocess.Popen([PROGRAM, "--config", config], env=env,
                                        pass_fds=[end.fileno() for end in ends.values()])
        for end in ends.values():
            end.close()
        self.order(TICKETS, tlv(KEYS, keys))
        self.load(certificates)
        self.order(LISTENER, tlv(SERVICE, b"imaps") + tlv(ALPN, b"imap"), [listener])

    def order(self, kind, body=b"", descriptors=()):
        socket.send_fds(self.control, [bytes([kind]) + body], [getattr(d, "fileno", lambda: d)()
                                                               for d in descriptors])

    def load(self, certificates):
        """Passes certificates as master does; the error text that is answered."""
        for names, chain, key in certificates:
            with open(chain) as c, open(key) as k:
                self.order(CERTIFICATE, b"".join(tlv(NAME, n.encode()) for n in names), [c, k])
        self.order(PROFILE, tlv(TLS12, b"\1"))
        self.order(APPLY)
        return fields(self.control.recv(65536)).get(ERROR, [b""])[0].decode()

    def accept(self):
        """The next finished connection: (message, socket of the session)."""
        message, descriptors, _, _ = socket.recv_fds(self.door, 65536, 4)
        session = socket.socket(fileno=descriptors[0])
        session.settimeout(20)
        return message, session

    def close(self):
        for end in (self.control, self.door, self.tls_door):
            end.close()
        return self.process.wait(20)


class TransportdTest(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        os.chmod(self.folder, 0o755)
        self.keys = os.urandom(80)
        self.one = make_certificate(self.folder, "one.example.org")
        self.two = make_certificate(self.folder, "two.example.org")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.server = self.start()

    def start(self):
        return Transportd(self.folder, [([], *self.one), (["two.example.org"], *self.two)],
                          self.keys, self.listener)

    def tearDown(self):
        self.assertEqual(self.server.close(), 0)
        self.listener.close()
        self.temporary.cleanup()

    def s_client(self, *options, stdin=b"", server=None):
        """What openssl s_client prints of a connection that is accepted, and what was said: the
        session greets, reads a line, answers it and ends."""
        server = server or self.server
        served = {}

        def serve():
            served["message"], session = server.accept()
            session.sendall(b"* OK ready\r\n")
            served["said"] = session.recv(65536)
            session.sendall(b"* you said " + served["said"])
            session.close()

        session = threading.Thread(target=serve)
        session.start()
        out = self.run_client(*options, "-quiet" if stdin else "-brief", stdin=stdin or b"x\r\n")
        session.join()
        return out, served

    def run_client(self, *options, stdin=b""):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", *options],
                              input=stdin, capture_output=True, timeout=30)
        return done.stdout.decode() + done.stderr.decode()

    def assert_refused(self, *options):
        """The handshake fails, and nothing comes through the door."""
        out = self.run_client("-brief", *options)
        self.assertNotIn("CONNECTION ESTABLISHED", out)
        self.server.door.setblocking(False)
        self.assertRaises(BlockingIOError, self.server.accept)
        self.server.door.settimeout(20)

    def test_relays_both_ways_and_tells_the_facts(self):
        out, served = self.s_client("-tls1_3", stdin=b"a NOOP\r\n")
        self.assertIn("* OK ready", out)
        self.assertIn("* you said a NOOP", out)
        self.assertIn(b"TLSv1.3", served["message"])
        self.assertIn(b"imaps", served["message"])

    def test_versions_below_1_2_are_refused(self):
        out, served = self.s_client("-tls1_2")
        self.assertIn("TLSv1.2", out)
        self.assertTrue(served)
        self.assert_refused("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")

    def test_weak_ciphers_are_refused(self):
        for cipher in ("AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "NULL-SHA256"):
            self.assert_refused("-tls1_2", "-cipher", cipher + ":@SECLEVEL=0")

    def test_the_name_chooses_the_certificate(self):
        out, _ = self.s_client("-servername", "two.example.org")
        self.assertIn("CN = two.example.org", out)
        out, _ = self.s_client("-servername", "unknown.example.org")
        self.assertIn("CN = one.example.org", out)

    def test_alpn_of_another_protocol_is_refused(self):
        out, served = self.s_client("-alpn", "imap")
        self.assertTrue(served)
        self.assert_refused("-alpn", "http/1.1")

    def test_a_session_resumes_at_another_process(self):
        ticket = self.folder / "ticket"
        self.s_client("-tls1_2", "-sess_out", str(ticket))
        self.server.order(UNLISTEN)
        second = self.start()
        try:
            out, served = self.s_client("-tls1_2", "-sess_in", str(ticket), "-msg", server=second)
            self.assertTrue(served)
            self.assertNotIn("Certificate\n", out.replace("CertificateVerify", ""))  # abbreviated
        finally:
            self.assertEqual(second.close(), 0)

    def test_a_set_that_does_not_load_keeps_the_old_one(self):
        error = self.server.load([([], self.one[0], self.two[1])])
        self.assertRegex(error, "key|mismatch")
        out, _ = self.s_client()
        self.assertIn("CN = one.example.org", out)

    def test_a_new_certificate_is_used_and_old_connections_go_on(self):
        client = subprocess.Popen(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{self.port}"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        _, session = self.server.accept()
        self.assertEqual(self.server.load([([], *self.two)]), "")
        out, _ = self.s_client()
        self.assertIn("CN = two.example.org", out)
        session.sendall(b"still here\r\n")
        self.assertEqual(client.stdout.readline(), b"still here\r\n")
        client.terminate()
        self.assertEqual(session.recv(10), b"")  # the client's end is the session's
        session.close()
        client.communicate()

    def test_large_transfers_arrive_whole_in_both_directions(self):
        data = os.urandom(8 << 20).hex().encode()
        client = subprocess.Popen(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{self.port}"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        _, session = self.server.accept()
        writer = threading.Thread(target=lambda: (session.sendall(data), session.shutdown(socket.SHUT_WR)))
        writer.start()
        received = client.stdout.read(len(data))
        writer.join()
        self.assertEqual(received, data)
        client.stdin.close()
        client.stdout.close()
        client.wait(20)
        session.close()

    def test_start_tls_writes_the_line_in_the_clear_and_shakes_hands(self):
        plain = socket.create_server(("127.0.0.1", 0))
        client = subprocess.Popen(["openssl", "s_client", "-quiet", "-starttls", "imap", "-connect",
                                   f"127.0.0.1:{plain.getsockname()[1]}"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        tcp, _ = plain.accept()
        tcp.sendall(b"* OK hello\r\n")
        self.assertIn(b"CAPABILITY", tcp.recv(1000))
        tcp.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK done\r\n")
        self.assertIn(b"STARTTLS", tcp.recv(1000))
        request = tlv(REQUEST_ALPN, b"imap") + tlv(REQUEST_OK_LINE, b". OK begin TLS\r\n")
        socket.send_fds(self.server.tls_door, [bytes([START_TLS]) + request], [tcp.fileno()])
        tcp.close()
        message, session = self.server.accept()
        self.assertIn(b"TLSv1.3", message)
        session.sendall(b"inside\r\n")
        self.assertEqual(client.stdout.readline(), b"inside\r\n")
        session.close()
        client.stdin.close()
        client.stdout.close()
        client.wait(20)
        plain.close()


if __name__ == "__main__":
    unittest.main()
