#!/usr/bin/python3
"""TLS with real peers: openssl s_client, curl, mbsync, neomutt; implicit and by STARTTLS."""

import imaplib
import re
import smtplib
import socket
import ssl

import harness
from harness import make_message

MBSYNC = """
IMAPAccount live
Host {host}
Port {port}
User {user}
Pass pass
SSLType {kind}
CertificateFile {certificate}
AuthMechs LOGIN

IMAPStore far
Account live

MaildirStore near
Path {home}/
Inbox {home}/INBOX

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Both
SyncState *
"""


LMTPS_PORT = 25924  # below the ephemeral ports; no other test has it


class Tls(harness.ClientTest):
    settings = ["service.lmtps.daemon=lmtpd", f"service.lmtps.listen=127.0.0.1:{LMTPS_PORT}",
                "service.lmtps.tls=implicit", "service.lmtp.tls=starttls"]

    def setUp(self):
        super().setUp()
        if self.server.imaps_port is None:
            self.skipTest("the server has no TLS yet")

    def s_client(self, *options, status=(0,), input=b"a LOGOUT\n"):
        return harness.run(["openssl", "s_client", "-crlf", "-ign_eof", "-connect",
                            f"{self.server.host}:{self.server.imaps_port}", *options],
                           status=status, input=input)

    def test_tls_1_2_and_1_3_are_spoken(self):
        for option, name in (("-tls1_2", b"TLSv1.2"), ("-tls1_3", b"TLSv1.3")):
            output = self.s_client(option)
            self.assertIn(name, output)
            self.assertIn(b"* BYE", output)

    def test_older_versions_are_refused(self):
        for option in ("-tls1", "-tls1_1"):
            self.s_client(option, "-cipher", "ALL:@SECLEVEL=0", status=(1,))

    def test_weak_ciphers_are_refused(self):
        if self.server.name == "dovecot":
            self.skipTest("Dovecot's default has Camellia")
        for cipher in ("NULL", "aNULL", "3DES", "RC4", "EXPORT", "CAMELLIA"):
            self.s_client("-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0", status=(1,))

    def test_a_session_is_resumed(self):
        if self.server.name == "dovecot":
            self.skipTest("Dovecot's login processes don't share ticket keys")
        path = self.home / "session"
        self.s_client("-tls1_2", "-sess_out", path)
        self.assertIn(b"Reused, TLSv1.2", self.s_client("-tls1_2", "-sess_in", path))

    def alpn(self, protocol, port, *options):
        """The protocol that s_client and the server agree on; None if the server refuses."""
        output = harness.run(["openssl", "s_client", "-alpn", protocol, "-connect",
                              f"{self.server.host}:{port}", *options], status=(0, 1), input=b"")
        if b"alert no application protocol" in output:
            return None
        agreed = re.search(rb"ALPN protocol: (\S+)", output)
        self.assertTrue(agreed or b"No ALPN negotiated" in output, output)
        return agreed[1].decode() if agreed else ""

    def test_each_protocol_is_agreed_on_by_its_name(self):
        if self.server.name != "postern":
            self.skipTest("others know no names")
        sieve = self.server.env["SIEVE_PORT"]
        for name, port, *options in (("imap", self.server.imaps_port),
                                     ("imap", self.server.imap_port, "-starttls", "imap"),
                                     ("pop3", self.server.pop3s_port),
                                     ("pop3", self.server.pop3_port, "-starttls", "pop3"),
                                     ("managesieve", sieve, "-starttls", "sieve")):
            with self.subTest(port=port):
                self.assertEqual(self.alpn(name, port, *options), name)
                self.assertIsNone(self.alpn("http/1.1", port, *options))
        for port, *options in ((LMTPS_PORT,), (self.server.lmtp_port, "-starttls", "lmtp")):
            self.assertEqual(self.alpn("lmtp", port, *options), "")  # it has no registered name

    def test_mail_comes_in_over_lmtps(self):
        if self.server.name != "postern":
            self.skipTest("others have no such port")
        user = self.new_user()
        tcp = socket.create_connection((self.server.host, LMTPS_PORT), 20)
        client = smtplib.LMTP()
        client.sock = ssl._create_unverified_context().wrap_socket(tcp)
        self.assertEqual(client.getreply()[0], 220)
        client.ehlo_or_helo_if_needed()
        self.assertFalse(client.has_extn("starttls"))
        self.assertEqual(client.sendmail("a@example.net", [user], make_message(1)), {})
        client.quit()
        self.assertEqual(self.imap(user).choose(), 1)

    def test_curl_reads_over_imaps(self):
        user, message = self.new_user(), make_message(1, size=200000)
        self.imap(user).add("INBOX", message)
        url = f"imaps://{self.server.host}:{self.server.imaps_port}/INBOX;UID=1"
        got = harness.run(["curl", "--silent", "--show-error", "--insecure", "--user",
                           f"{user}:pass", url])
        self.assertEqual(got, message)

    def test_curl_reads_after_starttls(self):
        user, message = self.new_user(), make_message(1)
        self.imap(user).add("INBOX", message)
        url = f"imap://{self.server.host}:{self.server.imap_port}/INBOX;UID=1"
        got = harness.run(["curl", "--silent", "--show-error", "--insecure", "--ssl-reqd",
                           "--user", f"{user}:pass", url])
        self.assertEqual(got, message)

    def test_commands_behind_starttls_are_never_taken(self):
        """What a man in the middle puts behind STARTTLS must not run inside (RFC 9051 §11.1)."""
        client = imaplib.IMAP4(self.server.host, self.server.imap_port)
        self.addCleanup(harness.close_quietly, client)
        client.send(b"a STARTTLS\r\nb NOOP\r\n")
        while not (line := client.readline()).startswith(b"a OK"):
            if not line:
                return  # refused, and the connection closed: nothing ran
        context = ssl._create_unverified_context()
        try:
            inside = context.wrap_socket(client.sock, server_hostname="localhost")
        except (ssl.SSLError, OSError):
            return  # the server takes the rest for a broken handshake: as good
        inside.sendall(b"c NOOP\r\n")
        self.assertTrue(inside.recv(1000).startswith(b"c OK"))

    def mbsync(self, kind, port):
        user = self.new_user()
        self.deliver(user, make_message(1))
        certificate = self.home / "cert.pem"
        certificate.write_text(ssl.get_server_certificate((self.server.host,
                                                           self.server.imaps_port)))
        self.write("rc", MBSYNC.format(host="localhost", port=port, user=user, kind=kind,
                                       home=self.home, certificate=certificate))
        harness.run(["mbsync", "-c", self.home / "rc", "all"])
        self.assertEqual(len(list((self.home / "INBOX" / "new").glob("*"))), 1)

    def test_mbsync_over_imaps(self):
        self.mbsync("IMAPS", self.server.imaps_port)

    def test_mbsync_with_starttls(self):
        self.mbsync("STARTTLS", self.server.imap_port)


if __name__ == "__main__":
    harness.need("openssl", "curl", "mbsync")
    harness.main()
