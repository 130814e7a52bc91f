#!/usr/bin/python3
"""Ways to log in: SCRAM-SHA-256-PLUS with GNU gsasl and by hand, client certificates, APOP; TLS for
LMTP; and fail2ban's filter over the log of failed logins."""

import base64
import hashlib
import hmac
import imaplib
import os
import poplib
import re
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

import harness
from harness import make_message
from live.instance import PASSWORD

AUTHORITY = Path(tempfile.mkdtemp(prefix="postern-authority."))
FILTER = harness.HERE.parents[1] / "conf/fail2ban/postern.conf"


def make_authority():
    """A CA in AUTHORITY, before the server starts."""
    AUTHORITY.chmod(0o755)
    harness.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-days", "9", "-subj", "/CN=authority",
                 "-keyout", AUTHORITY / "ca.key", "-out", AUTHORITY / "ca.crt"])


def client_certificate(user):
    """(certificate, key) that names `user`."""
    chain, key, request = (AUTHORITY / f"{user}.{kind}" for kind in ("crt", "key", "csr"))
    harness.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-subj", f"/CN={user}", "-keyout", key, "-out", request])
    harness.run(["openssl", "x509", "-req", "-in", request, "-CA", AUTHORITY / "ca.crt", "-CAkey",
                 AUTHORITY / "ca.key", "-days", "9", "-out", chain])
    return chain, key


class Scram:
    """The client's side of SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677) for imaplib."""

    def __init__(self, user, binding, data):
        self.flag = f"p={binding},,".encode()
        self.data = data
        self.bare = f"n={user},r={base64.b64encode(os.urandom(12)).decode()}".encode()
        self.first = True

    def __call__(self, challenge):
        if self.first:
            self.first = False
            return self.flag + self.bare
        if challenge.startswith(b"v="):
            return b""
        parts = dict(part.split(b"=", 1) for part in challenge.split(b","))
        salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), base64.b64decode(parts[b"s"]),
                                     int(parts[b"i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        last = b"c=" + base64.b64encode(self.flag + self.data) + b",r=" + parts[b"r"]
        text = b",".join([self.bare, challenge, last])
        signature = hmac.digest(hashlib.sha256(key).digest(), text, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature))
        return last + b",p=" + base64.b64encode(proof)


class Auth(harness.ClientTest):
    settings = [f"tls.client_ca={AUTHORITY / 'ca.crt'}", "auth.failure_delay=1ms",
                "pop3.apop=true", "service.lmtp.tls=starttls"]

    def imaps(self, context=None):
        client = imaplib.IMAP4_SSL(self.server.host, self.server.imaps_port,
                                   ssl_context=context or ssl._create_unverified_context())
        self.addCleanup(harness.close_quietly, client)
        return client

    def log_text(self):
        return Path(self.server.env["LOG"]).read_text(errors="replace")

    # SCRAM with channel binding.

    def test_gsasl_logs_in_with_scram_plus(self):
        user = self.new_user()
        pem = self.write("server.pem", ssl.get_server_certificate((self.server.host,
                                                                   self.server.imaps_port)))
        out = harness.run(["gsasl", "--imap", "--connect", f"localhost:{self.server.imap_port}",
                           "--starttls", "--x509-ca-file", pem, "--mechanism", "SCRAM-SHA-256-PLUS",
                           "-a", user, "-p", PASSWORD, "--verbose"], input=b"")
        self.assertIn(b"server trusted", out)
        self.assertRegex(self.log_text(),
                         f"event=login.ok .*mechanism=SCRAM-SHA-256-PLUS user={user} ")

    def scram(self, user, binding, data):
        client = self.imaps()
        self.assertIn("AUTH=SCRAM-SHA-256-PLUS", client.capabilities)
        return client.authenticate("SCRAM-SHA-256-PLUS", Scram(user, binding, data))

    def certificate_hash(self):
        pem = ssl.get_server_certificate((self.server.host, self.server.imaps_port))
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()

    def test_tls_server_end_point_binds(self):
        self.assertEqual(self.scram(self.new_user(), "tls-server-end-point",
                                    self.certificate_hash())[0], "OK")

    def test_a_binding_of_another_channel_is_refused(self):
        user = self.new_user()
        for binding, data in (("tls-server-end-point", os.urandom(32)),
                              ("tls-exporter", self.certificate_hash()),
                              ("tls-unique", os.urandom(12))):
            self.assertRaises(imaplib.IMAP4.error, self.scram, user, binding, data)

    # Client certificates.

    def test_external_logs_in_whom_the_certificate_names(self):
        user = self.new_user()
        context = ssl._create_unverified_context()
        context.load_cert_chain(*client_certificate(user))
        client = self.imaps(context)
        self.assertIn("AUTH=EXTERNAL", client.capabilities)
        self.assertEqual(client.authenticate("EXTERNAL", lambda _: b"")[0], "OK")
        self.assertRegex(self.log_text(), f"event=login.ok .*mechanism=EXTERNAL user={user} ")

    def test_external_is_not_there_without_a_certificate(self):
        client = self.imaps()
        self.assertNotIn("AUTH=EXTERNAL", client.capabilities)
        self.assertRaises(imaplib.IMAP4.error, client.authenticate, "EXTERNAL", lambda _: b"anna")

    # Certificates.

    def test_changed_files_are_used_and_nobody_is_dropped(self):
        config = Path(self.server.env["CONFIG"]).read_text()
        chain, key = (Path(re.search(rf'{name} *= *"(.*)"', config)[1]) for name in ("chain", "key"))
        old = self.imaps()
        before = old.sock.getpeercert(True)
        saved = chain.read_bytes(), key.read_bytes()

        def restore():
            key.write_bytes(saved[1])
            chain.write_bytes(saved[0])
            self.await_(lambda: self.imaps().sock.getpeercert(True) == before)
        self.addCleanup(restore)
        harness.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-nodes", "-days", "9", "-subj", "/CN=renewed",
                     "-keyout", self.home / "key", "-out", self.home / "chain"])
        key.write_bytes((self.home / "key").read_bytes())
        chain.write_bytes((self.home / "chain").read_bytes())
        self.await_(lambda: self.imaps().sock.getpeercert(True) != before)
        self.assertEqual(old.noop()[0], "OK")

    def await_(self, condition):
        end = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), end, "it did not come")
            time.sleep(0.1)

    # POP3.

    def test_apop_with_poplib(self):
        user = self.new_user()
        self.deliver(user, make_message(1))
        first = poplib.POP3(self.server.host, self.server.pop3_port)
        second = poplib.POP3(self.server.host, self.server.pop3_port)
        self.assertNotEqual(first.welcome, second.welcome)
        first.apop(user, PASSWORD)
        self.assertEqual(first.stat()[0], 1)
        self.assertRaises(poplib.error_proto, second.apop, user, "wrong")
        first.quit()
        # A digest that was seen is worth nothing for another connection.
        digest = hashlib.md5((re.search(rb"<.*>", first.welcome)[0] + PASSWORD.encode())).hexdigest()
        self.assertRaises(poplib.error_proto, second._shortcmd, f"APOP {user} {digest}")
        second.close()

    def test_a_detail_opens_another_mailbox_in_each_way_to_log_in(self):
        user = self.new_user()
        self.deliver(user, make_message(1))
        imap = self.imap(user)
        imap.create("Lists")
        for number in (2, 3):
            imap.add("Lists", make_message(number))
        named = f"{user}+Lists"

        def connect():
            client = poplib.POP3(self.server.host, self.server.pop3_port)
            self.addCleanup(client.close)
            return client
        client = connect()
        client.user(named)
        client.pass_(PASSWORD)
        self.assertEqual(client.stat()[0], 2)
        client = connect()
        client.apop(named, PASSWORD)
        self.assertEqual(client.stat()[0], 2)
        client = connect()
        words = base64.b64encode(f"\0{named}\0{PASSWORD}".encode()).decode()
        client._shortcmd(f"AUTH PLAIN {words}")
        self.assertEqual(client.stat()[0], 2)
        client = connect()
        client.user(f"{user}+Nowhere")
        self.assertRaises(poplib.error_proto, client.pass_, PASSWORD)

    # LMTP.

    def test_lmtp_speaks_tls(self):
        user = self.new_user()
        with smtplib.LMTP(self.server.host, self.server.lmtp_port) as client:
            client.ehlo_or_helo_if_needed()
            self.assertTrue(client.has_extn("starttls"))
            self.assertEqual(client.starttls(context=ssl._create_unverified_context())[0], 220)
            client.ehlo_or_helo_if_needed()
            self.assertFalse(client.has_extn("starttls"))
            self.assertEqual(client.sendmail("a@example.net", [user], make_message(1)), {})
        self.assertEqual(self.imap(user).choose(), 1)

    def test_commands_behind_starttls_of_lmtp_are_never_taken(self):
        with socket.create_connection((self.server.host, self.server.lmtp_port), 20) as tcp:
            tcp.sendall(b"LHLO x\r\n")
            seen = b""
            while b"250 " not in seen:
                seen += tcp.recv(1000)
            tcp.sendall(b"STARTTLS\r\nNOOP\r\n")
            self.assertTrue(tcp.recv(1000).startswith(b"421"))

    def test_commands_behind_stls_of_pop3_are_never_taken(self):
        with socket.create_connection((self.server.host, self.server.pop3_port), 20) as tcp:
            tcp.recv(1000)
            tcp.sendall(b"STLS\r\nNOOP\r\n")
            self.assertTrue(tcp.recv(1000).startswith(b"-ERR"))

    # fail2ban.

    def test_fail2ban_finds_the_address_of_each_failed_login(self):
        before = len(self.log_text())
        fake = "x event=login.failed conn=1 service=imap peer=192.0.2.66 tls="
        for user in ("nobody", fake, f'"{fake}'):
            client = imaplib.IMAP4(self.server.host, self.server.imap_port)
            quoted = '"' + user.replace('"', '\\"') + '"'
            self.assertRaises(imaplib.IMAP4.error, client.login, quoted, "wrong")
            client.shutdown()
        for user in ("nobody", fake):
            client = poplib.POP3(self.server.host, self.server.pop3_port)
            client.user(user)
            self.assertRaises(poplib.error_proto, client.pass_, "wrong")
            client.close()
        with socket.create_connection((self.server.host, int(self.server.env["SIEVE_PORT"])),
                                      20) as tcp:
            words = base64.b64encode(b"\0nobody\0wrong").decode()
            tcp.sendall(f'AUTHENTICATE "PLAIN" "{words}"\r\n'.encode())
            seen = b""
            while b"\r\nNO" not in seen:
                seen += tcp.recv(1000)
        lines = [line for line in self.log_text()[before:].splitlines() if "login.failed" in line]
        log = self.write("log", "\n".join(lines) + "\n")
        out = harness.run(["fail2ban-regex", "-o", "ip", log, FILTER]).decode().split()
        self.assertEqual(out, ["127.0.0.1"] * 6, "\n".join(lines))


if __name__ == "__main__":
    harness.need("openssl", "gsasl", "fail2ban-regex")
    make_authority()
    try:
        harness.main()
    finally:
        subprocess.run(["rm", "-rf", str(AUTHORITY)], check=False)
