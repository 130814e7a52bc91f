#!/usr/bin/env python3
"""transportd alone, against openssl s_client: this test plays master and porter.

    transportd_test.py /path/to/transportd
"""

import contextlib
import hashlib
import os
import pwd
import re
import resource
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else "transportd"
# Kinds and tags of lib/service/transport_message.h, then those of lib/service/message.h.
CERTIFICATE, PROFILE, TICKETS, APPLY, APPLIED, LISTENER, UNLISTEN, STOP = range(1, 9)
NAME, OCSP, TLS12, CIPHERS, KEYS, SERVICE, ALPN, PROXIES, ERROR, ALLOWED, DENIED = range(1, 12)
START_TLS, REQUEST_ALPN, REQUEST_OK_LINE = 4, 60, 61
PEER, CLIENT_CERTIFICATE, EXPORTER, ENDPOINT = 102, 112, 113, 117  # of the facts


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

    def __init__(self, folder, certificates, keys, listener, before=None, patience="30s"):
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.door, door = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.tls_door, tls_door = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self.control, self.door):
            end.settimeout(20)
        config = folder / "postern.toml"
        config.write_text(f'[log]\ntarget = "stderr"\n[tls]\nuser = "nobody"\nchroot = "{folder}"\n'
                          f'handshake_timeout = "{patience}"\n')
        ends = {"POSTERN_CONTROL_FD": theirs, "POSTERN_DOOR_FD": door, "POSTERN_TLS_DOOR_FD": tls_door}
        env = dict(os.environ, **{name: str(end.fileno()) for name, end in ends.items()})
        self.process = subprocess.Popen([PROGRAM, "--config", config], env=env,
                                        pass_fds=[end.fileno() for end in ends.values()],
                                        preexec_fn=before)
        for end in ends.values():
            end.close()
        self.order(TICKETS, tlv(KEYS, keys))
        self.load(certificates)
        self.order(LISTENER, tlv(SERVICE, b"imaps") + tlv(ALPN, b"imap"), [listener])

    def order(self, kind, body=b"", descriptors=()):
        socket.send_fds(self.control, [bytes([kind]) + body], [getattr(d, "fileno", lambda: d)()
                                                               for d in descriptors])

    def load(self, certificates, client_ca=None, tls12=True):
        """Passes certificates as master does, (names, chain, key[, OCSP response]); the error text
        that is answered."""
        for names, *paths in certificates:
            files = [open(path, "rb") for path in paths]
            self.order(CERTIFICATE, b"".join(tlv(NAME, n.encode()) for n in names)
                       + tlv(OCSP, bytes([len(files) > 2])), files)
            for file in files:
                file.close()
        with contextlib.ExitStack() as stack:
            self.order(PROFILE, tlv(TLS12, bytes([tls12])),
                       [stack.enter_context(open(client_ca))] if client_ca else [])
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
    version = ssl.TLSVersion.MAXIMUM_SUPPORTED  # of connect()

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

    def start(self, before=None, **options):
        """Another process; `before` is called in it first."""
        return Transportd(self.folder, [([], *self.one), (["two.example.org"], *self.two)],
                          self.keys, self.listener, before, **options)

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
        self.server.load([([], *self.one), (["*.example.net"], *self.two)])
        for name, served in (("MAIL.example.net", "two"), ("a.b.example.net", "one")):
            out, _ = self.s_client("-servername", name)
            self.assertIn(f"CN = {served}.example.org", out)

    def test_alpn_of_another_protocol_is_refused(self):
        out, served = self.s_client("-alpn", "imap")
        self.assertTrue(served)
        self.assert_refused("-alpn", "http/1.1")

    # Tickets. Which process serves a connection is known: each has a door of its own.

    def connect(self, server=None, resume=None, **certificate):
        """A finished connection with Python's client: (client, message, session's socket). The
        session has greeted, so the client has its ticket. `resume`: an earlier client."""
        context = resume.context if resume else ssl._create_unverified_context()
        context.maximum_version = self.version
        if certificate:
            context.load_cert_chain(**certificate)
        client = context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=20),
                                     session=resume and resume.session)
        message, inside = (server or self.server).accept()
        for end in (client, inside):
            self.addCleanup(end.close)
        inside.sendall(b"* OK ready\r\n")
        self.assertEqual(client.recv(100), b"* OK ready\r\n")
        return client, message, inside

    def rotate(self, *keys):
        """The ticket keys of all processes, newest first, in use when it returns."""
        self.server.order(TICKETS, tlv(KEYS, b"".join(keys)))
        self.assertEqual(self.server.load([([], *self.one)]), "")

    def in_each_version(self, test):
        """test(option of s_client), once a version that connect() speaks then."""
        for version, option in ((ssl.TLSVersion.TLSv1_2, "-tls1_2"),
                                (ssl.TLSVersion.TLSv1_3, "-tls1_3")):
            with self.subTest(version=version.name):
                self.version = version
                test(option)

    def reused(self, *options, server=None):
        """Whether openssl s_client resumed a session; it is served in any case."""
        done = {}

        def serve():
            _, session = (server or self.server).accept()
            session.sendall(b"* OK ready\r\n")
            done["said"] = session.recv(100)
            session.close()
        session = threading.Thread(target=serve)
        session.start()
        out = self.run_client(*options, "-ign_eof", stdin=b"x\r\n")
        session.join()
        self.assertEqual(done["said"], b"x\r\n")
        self.assertRegex(out, "(New|Reused), TLSv1")
        return "Reused, TLSv1" in out

    def test_a_session_resumes_at_another_process(self):
        self.in_each_version(self.resume_at_another_process)

    def resume_at_another_process(self, option):
        ticket = self.folder / f"ticket{option}"
        self.assertFalse(self.reused(option, "-sess_out", ticket))
        first = self.connect()[0]
        self.server.order(UNLISTEN)
        second = self.start()
        self.assertNotEqual(second.process.pid, self.server.process.pid)
        try:
            self.assertTrue(self.reused(option, "-sess_in", ticket, server=second))
            self.assertTrue(self.connect(second, first)[0].session_reused)
        finally:
            self.assertEqual(second.close(), 0)
        self.server.order(LISTENER, tlv(SERVICE, b"imaps") + tlv(ALPN, b"imap"), [self.listener])

    def test_an_old_ticket_key_is_accepted_and_a_ticket_of_the_new_one_given(self):
        self.in_each_version(self.resume_with_an_old_key)

    def resume_with_an_old_key(self, _):
        keys = [os.urandom(80) for _ in range(3)]
        self.rotate(keys[0])
        first = self.connect()[0]
        self.rotate(keys[1], keys[0])
        second = self.connect(resume=first)[0]
        self.assertTrue(second.session_reused)
        self.rotate(keys[2], keys[1])  # the key of the first ticket has gone
        self.assertTrue(self.connect(resume=second)[0].session_reused)

    def test_a_ticket_whose_key_has_gone_costs_a_full_handshake_and_nothing_else(self):
        self.in_each_version(self.resume_without_the_key)

    def resume_without_the_key(self, option):
        ticket = self.folder / f"ticket{option}"
        client = self.connect()[0]
        self.reused(option, "-sess_out", ticket)
        self.rotate(os.urandom(80), os.urandom(80))
        self.assertFalse(self.connect(resume=client)[0].session_reused)
        self.assertFalse(self.reused(option, "-sess_in", ticket))

    def test_a_ticket_does_not_outlive_the_authority_that_let_its_client_in(self):
        self.certificate = self.client_certificate("/CN=anna")
        self.in_each_version(self.resume_without_the_authority)

    def resume_without_the_authority(self, _):
        chain, key, ca = self.certificate
        self.server.load([([], *self.one)], client_ca=ca)
        client, message, _ = self.connect(certfile=chain, keyfile=key)
        again, same, _ = self.connect(resume=client)
        self.assertTrue(again.session_reused)
        for facts in (message, same):
            self.assertEqual(fields(facts)[CLIENT_CERTIFICATE], [b"anna"])
        self.server.load([([], *self.one)])
        again, message, _ = self.connect(resume=client)
        self.assertNotIn(CLIENT_CERTIFICATE, fields(message))
        self.assertFalse(again.session_reused)

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


    def test_tls_1_2_can_be_switched_off(self):
        self.assertEqual(self.server.load([([], *self.one)], tls12=False), "")
        self.assert_refused("-tls1_2")
        self.assertIn("TLSv1.3", self.s_client("-tls1_3")[0])

    def test_renegotiation_is_refused(self):
        client = subprocess.Popen(["openssl", "s_client", "-tls1_2", "-connect",
                                   f"127.0.0.1:{self.port}"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        session = self.server.accept()[1]
        out, _ = client.communicate(b"R\n", 20)
        session.close()
        self.assertIn(b"RENEGOTIATING", out)
        self.assertIn(b"no renegotiation", out)

    def client_certificate(self, subject, *extensions):
        """(certificate, key) of a client, signed by a CA of its own; (…, the CA's certificate)."""
        ca, ca_key = make_certificate(self.folder, "ca")
        chain, key, request = (self.folder / f"client.{kind}" for kind in ("crt", "key", "csr"))
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-subj", subject, "-keyout", key, "-out", request)
        extra = self.folder / "extra"
        extra.write_text("\n".join(extensions))
        run("openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-days", "9",
            "-out", chain, "-extfile", extra)
        return chain, key, ca

    def identity_of(self, *options):
        _, served = self.s_client(*options)
        return fields(served["message"]).get(CLIENT_CERTIFICATE, [b""])[0]

    def test_a_verified_client_certificate_names_the_user(self):
        chain, key, ca = self.client_certificate("/CN=anna")
        self.assertEqual(self.server.load([([], *self.one)], client_ca=ca), "")
        self.assertEqual(self.identity_of("-cert", str(chain), "-key", str(key)), b"anna")
        self.assertEqual(self.identity_of(), b"")  # it need not show one

    def test_the_mail_address_in_a_certificate_goes_before_its_common_name(self):
        chain, key, ca = self.client_certificate("/CN=Anna Example",
                                                 "subjectAltName=email:anna@example.org")
        self.server.load([([], *self.one)], client_ca=ca)
        self.assertEqual(self.identity_of("-cert", str(chain), "-key", str(key)),
                         b"anna@example.org")

    def test_a_client_certificate_of_another_authority_is_refused(self):
        _, _, ca = self.client_certificate("/CN=anna")
        self.server.load([([], *self.one)], client_ca=ca)
        self.assert_refused("-tls1_2", "-cert", str(self.two[0]), "-key", str(self.two[1]))

    def test_an_ocsp_response_is_stapled(self):
        chain, key = self.one
        serial = run("openssl", "x509", "-in", chain, "-noout", "-serial").split("=")[1].strip()
        (self.folder / "index").write_text(f"V\t391231000000Z\t\t{serial}\tunknown\t/CN=one\n")
        request, response = self.folder / "ocsp.req", self.folder / "ocsp.der"
        run("openssl", "ocsp", "-issuer", chain, "-cert", chain, "-no_nonce", "-reqout", request)
        run("openssl", "ocsp", "-index", self.folder / "index", "-rsigner", chain, "-rkey", key,
            "-CA", chain, "-reqin", request, "-respout", response, "-ndays", "7")
        self.assertEqual(self.server.load([([], chain, key, response)]), "")
        served = threading.Thread(target=lambda: self.server.accept()[1].close())
        served.start()
        out = self.run_client("-status")
        served.join()
        self.assertIn("OCSP Response Status: successful", out)
        self.assertIn("Cert Status: good", out)

    def test_the_channel_bindings_are_told(self):
        _, served = self.s_client("-keymatexport", "EXPORTER-Channel-Binding")
        told = fields(served["message"])
        self.assertEqual(len(told[EXPORTER][0]), 32)
        der = subprocess.run(["openssl", "x509", "-in", self.one[0], "-outform", "DER"],
                             capture_output=True, check=True).stdout
        self.assertEqual(told[ENDPOINT][0], hashlib.sha256(der).digest())

    def test_networks_are_kept_out_before_the_handshake(self):
        self.server.order(UNLISTEN)
        self.server.order(LISTENER, tlv(SERVICE, b"imaps") + tlv(ALPN, b"imap")
                          + tlv(DENIED, b"192.0.2.0/24 127.0.0.0/8"), [self.listener])
        self.assert_refused()

    def test_a_proxy_header_gives_the_address_and_counts_for_the_networks(self):
        self.server.order(UNLISTEN)
        self.server.order(LISTENER, tlv(SERVICE, b"imaps") + tlv(ALPN, b"imap")
                          + tlv(PROXIES, b"127.0.0.1") + tlv(ALLOWED, b"192.0.2.0/24"),
                          [self.listener])
        context = ssl._create_unverified_context()
        for address, comes_in in (("192.0.2.7", True), ("203.0.113.7", False)):
            tcp = socket.create_connection(("127.0.0.1", self.port), timeout=20)
            tcp.sendall(f"PROXY TCP4 {address} 198.51.100.1 4000 993\r\n".encode())
            if not comes_in:
                self.assertRaises((ssl.SSLError, OSError), context.wrap_socket, tcp)
                tcp.close()
                continue
            inside = context.wrap_socket(tcp)
            message, session = self.server.accept()
            self.assertEqual(fields(message)[PEER][0], address.encode())
            inside.close()
            session.close()

    # A peer that has gone. A process that turns round and round never sleeps.

    def assert_sleeps(self, server=None):
        """The process comes to rest: a moment in which it is always found asleep."""
        pid = (server or self.server).process.pid
        end, asleep = time.monotonic() + 20, 0
        while asleep < 20:
            asleep = asleep + 1 if status_of(pid)["State"][0] == "S" else 0
            self.assertLess(time.monotonic(), end, "transportd is busy with nothing to do")
            time.sleep(0.01)

    def gone(self):
        """A session whose client has closed without reading; the session has seen its end."""
        client, _, session = self.connect()
        client.close()
        self.assertEqual(session.recv(10), b"")
        return session

    def test_octets_for_a_client_that_has_gone_end_the_connection(self):
        session = self.gone()
        with self.assertRaises((BrokenPipeError, ConnectionResetError)):  # a reset is the answer
            for _ in range(1000):
                session.sendall(b"x" * 1000)
                time.sleep(0.01)
        self.assert_sleeps()

    def test_a_session_that_stays_when_its_client_has_gone_costs_no_time(self):
        session = self.gone()
        session.sendall(b"x")  # answered with a reset, of which epoll would tell for ever
        self.assert_sleeps()

    def test_a_client_that_ends_its_handshake_half_way_is_let_go(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as client:
            client.sendall(b"\x16\x03\x01")  # a record's head begins
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(client.recv(10), b"")
        self.assert_sleeps()

    def test_half_a_proxy_header_costs_no_time(self):
        self.server.order(UNLISTEN)
        self.server.order(LISTENER, tlv(SERVICE, b"imaps") + tlv(ALPN, b"imap")
                          + tlv(PROXIES, b"127.0.0.1"), [self.listener])
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as client:
            client.sendall(b"PROXY TCP4 ")
            self.assert_sleeps()
            client.sendall(b"192.0.2.7 198.51.100.1 4000 993\r\n")
            with ssl._create_unverified_context().wrap_socket(client):
                message, session = self.server.accept()
                session.close()
        self.assertEqual(fields(message)[PEER][0], b"192.0.2.7")

    def finish_at_once(self, *texts):
        """A client's socket, on which the end of the handshake and `texts`, a record each, wait
        together for a stopped transportd."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        inside = ssl._create_unverified_context().wrap_bio(incoming, outgoing)
        tcp = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        while True:
            try:
                inside.do_handshake()
                break
            except ssl.SSLWantReadError:
                tcp.sendall(outgoing.read())
                incoming.write(tcp.recv(65536))
        for text in texts:
            inside.write(text)
        os.kill(self.server.process.pid, signal.SIGSTOP)
        while status_of(self.server.process.pid)["State"][0] != "T":
            pass
        tcp.sendall(outgoing.read())
        return tcp

    def test_what_came_with_the_end_of_the_handshake_reaches_the_session_whole(self):
        texts = [b"%d\r\n" % number for number in range(200)]
        with self.finish_at_once(*texts):
            os.kill(self.server.process.pid, signal.SIGCONT)
            _, session = self.server.accept()
            with session, session.makefile("rb") as lines:
                self.assertEqual([lines.readline() for _ in texts], texts)

    def test_a_client_that_breaks_off_after_the_handshake_is_not_announced(self):
        with self.finish_at_once() as client:  # a reset instead of an end
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.kill(self.server.process.pid, signal.SIGCONT)
        self.assert_sleeps()
        self.server.door.setblocking(False)
        self.assertRaises(BlockingIOError, self.server.accept)

    def test_a_client_that_breaks_off_behind_its_first_words_is_announced(self):
        with self.finish_at_once(b"a logout\r\n") as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.kill(self.server.process.pid, signal.SIGCONT)
        _, session = self.server.accept()
        with session:
            self.assertEqual(session.recv(100), b"a logout\r\n")

    def test_a_connection_that_rests_gives_the_memory_of_its_tls_object_back(self):
        client, _, session = self.connect()
        for turn in (b"one", b"two"):
            session.sendall(turn)
            self.assertEqual(client.recv(100), turn)
            end = time.monotonic() + 20
            while tls_objects_kib(self.server.process.pid) > 0:
                self.assertLess(time.monotonic(), end, "its pages stay")
                time.sleep(0.05)
        client.sendall(b"three")
        self.assertEqual(session.recv(100), b"three")
        self.assertGreater(tls_objects_kib(self.server.process.pid), 0)

    def test_a_client_that_stays_when_its_session_has_gone_costs_no_time(self):
        client, _, session = self.connect()
        session.close()
        self.assertEqual(client.recv(10), b"")
        self.assert_sleeps()

    def test_more_connections_than_descriptors_are_turned_away_at_once(self):
        self.server.order(UNLISTEN)
        self.assertEqual(self.server.load([([], *self.one)]), "")  # so it has heard of that
        second = self.start(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (76, 76)))
        first, *_ = [self.connect(second) for _ in range(6)]
        for _ in range(20):
            tcp = socket.create_connection(("127.0.0.1", self.port), timeout=20)
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(tcp.recv(10), b"")
            tcp.close()
        self.assert_sleeps(second)
        for end in (first[0], first[2]):
            end.close()
        end = time.monotonic() + 20
        while True:
            self.assertLess(time.monotonic(), end, "there is no room again")
            with contextlib.suppress(OSError):
                self.connect(second)
                break
        self.assertEqual(second.close(), 0)

    def test_who_does_not_shake_hands_in_time_is_closed(self):
        self.server.order(UNLISTEN)
        self.assertEqual(self.server.load([([], *self.one)]), "")  # so it has heard of that
        second = self.start(patience="1s")
        for proxies, begin in (("", b""), ("", b"\x16\x03\x01"), ("127.0.0.1", b"PROXY TCP4 ")):
            second.order(UNLISTEN)
            second.order(LISTENER, tlv(SERVICE, b"imaps") + tlv(ALPN, b"imap")
                         + tlv(PROXIES, proxies.encode()), [self.listener])
            self.assertEqual(second.load([([], *self.one)]), "")
            with socket.create_connection(("127.0.0.1", self.port), timeout=20) as tcp:
                tcp.sendall(begin)
                with contextlib.suppress(ConnectionResetError):
                    self.assertEqual(tcp.recv(10), b"")
        self.assertEqual(second.close(), 0)

    # The jail of the running process.

    def test_it_has_no_rights_and_cannot_get_any(self):
        status = status_of(self.server.process.pid)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(status["Seccomp"], "2")  # a filter
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0, name)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.assertEqual(status["Uid"].split(), [str(nobody.pw_uid)] * 4)
            self.assertEqual(status["Gid"].split(), [str(nobody.pw_gid)] * 4)
            self.assertEqual(status["Groups"], "")

    def test_its_root_is_the_empty_directory(self):
        if os.geteuid() != 0:
            self.skipTest("chroot needs root; Landlock and the filter hold for everybody")
        for link in ("root", "cwd"):
            self.assertEqual(os.readlink(f"/proc/{self.server.process.pid}/{link}"), str(self.folder))

    def test_it_has_sockets_open_and_nothing_else(self):
        self.connect()  # keys and certificates are loaded, connections served
        folder = Path(f"/proc/{self.server.process.pid}/fd")
        links = {entry.name: os.readlink(entry) for entry in folder.iterdir()}
        others = {name: link for name, link in links.items() if int(name) > 2
                  and not link.startswith("socket:") and link != "anon_inode:[eventpoll]"}
        self.assertEqual(others, {})

    def test_a_killed_process_ends_only_its_own_connections(self):
        mine, _, my_session = self.connect()
        self.server.order(UNLISTEN)
        second = self.start()
        theirs, _, their_session = self.connect(second)
        second.process.kill()
        second.process.wait()
        self.assertEqual(their_session.recv(10), b"")  # the session sees the end
        with contextlib.suppress(OSError):
            self.assertEqual(theirs.recv(10), b"")
        my_session.sendall(b"still here")
        self.assertEqual(mine.recv(100), b"still here")
        second.close()


def run(*words):
    """Output of a program that must succeed."""
    return subprocess.run([str(word) for word in words], check=True, capture_output=True,
                          text=True).stdout


def tls_objects_kib(pid):
    """Memory in the range in which TLS objects lie: two pages for each of half the descriptors, of
    which the rest is reserved. Its size tells it from those of a sanitizer's shadow and allocator."""
    reserved = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2, 1 << 17) * 8192
    found = []
    for mapping in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", Path(f"/proc/{pid}/smaps").read_text(),
                            flags=re.M)[1:]:
        addresses, rights = mapping.split("\n", 1)[0].split()[:2]
        begin, end = (int(address, 16) for address in addresses.split("-"))
        found.append((begin, end, rights, int(re.search(r"^Rss: +(\d+) kB$", mapping, re.M)[1])))
    for (begin, _, rights, rss), (_, end, next_rights, _) in zip(found, found[1:]):
        if (rights, next_rights) == ("rw-p", "---p") and end - begin == reserved:
            return rss
    raise AssertionError("no such range")


def status_of(pid):
    """/proc/PID/status as {name: text}."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: text.strip() for name, text in (line.split(":", 1) for line in lines)}


if __name__ == "__main__":
    unittest.main()
