#!/usr/bin/python3
"""ManageSieve clients of others: sieve-connect, Python's sievelib, Perl's Net::ManageSieve, all
through STARTTLS."""

import base64
import re
import socket
import subprocess
import unittest

import harness

GOOD = 'require ["fileinto"];\nfileinto "Junk";\n'
BAD = 'fileinto "Junk";\n'

try:
    from sievelib import managesieve
except ImportError:
    managesieve = None


class ManageSieve(harness.ClientTest):
    def setUp(self):
        super().setUp()
        if self.options.against != "postern":
            self.skipTest("concerns Postern's ManageSieve")
        self.port = self.server.env["SIEVE_PORT"]

    def sieve_connect(self, user, *words, status=(0,)):
        return harness.run(
            ["sieve-connect", "--nosrv", "--notlsverify", "--server", self.server.host, "--port",
             self.port, "--user", user, "--authmech", "PLAIN", "--passwordfd", "0", *words],
            status, input=harness.PASSWORD.encode() + b"\n", cwd=self.home).decode()

    def test_answers_before_a_failed_login_are_not_lost(self):
        words = base64.b64encode(b"\0nobody\0wrong").decode()
        with socket.create_connection((self.server.host, int(self.port)), 20) as tcp:
            tcp.sendall(f'NOOP "one"\r\nAUTHENTICATE "PLAIN" "{words}"\r\nNOOP "two"\r\nLOGOUT\r\n'
                        .encode())
            with tcp.makefile("rb") as lines:
                answers = re.findall(rb'^OK \(TAG "(\w+)"\)|^(NO)', lines.read(), re.M)
        self.assertEqual(answers, [(b"one", b""), (b"", b"NO"), (b"two", b"")])

    def test_commands_behind_starttls_are_never_taken(self):
        with socket.create_connection((self.server.host, int(self.port)), 20) as tcp:
            tcp.sendall(b'STARTTLS\r\nNOOP "inside"\r\n')
            with tcp.makefile("rb") as lines:
                answer = lines.read()
        self.assertRegex(answer, rb"\r\nBYE ")
        self.assertNotIn(b"inside", answer)

    def test_sieve_connect(self):
        user = self.new_user()
        good, bad = self.write("good", GOOD), self.write("bad", BAD)
        self.sieve_connect(user, "--upload", "--localsieve", good, "--remotesieve", "main")
        self.sieve_connect(user, "--activate", "--remotesieve", "main")
        self.assertRegex(self.sieve_connect(user, "--list"), r'"main" ACTIVE')
        copy = self.home / "copy"
        self.sieve_connect(user, "--download", "--remotesieve", "main", "--localsieve", copy)
        self.assertEqual(copy.read_text(), GOOD)
        refused = self.sieve_connect(user, "--upload", "--localsieve", bad, "--remotesieve", "bad",
                                     status=range(1, 256))
        self.assertIn("1:1: the command 'fileinto' needs", refused)
        self.sieve_connect(user, "--deactivate")
        self.sieve_connect(user, "--delete", "--remotesieve", "main")
        self.assertNotIn("main", self.sieve_connect(user, "--list"))

    @unittest.skipUnless(managesieve, "python3-sievelib isn't installed")
    def test_sievelib(self):
        client = managesieve.Client(self.server.host, int(self.port))
        self.assertTrue(client.connect(self.new_user(), harness.PASSWORD, starttls=False,
                                       authmech="PLAIN"))
        self.assertIn("fileinto", client.get_sieve_capabilities())
        self.assertTrue(client.havespace("main", len(GOOD)))
        self.assertFalse(client.havespace("main", 1 << 30))
        self.assertTrue(client.checkscript(GOOD))
        self.assertFalse(client.checkscript(BAD))
        self.assertTrue(client.putscript("main", GOOD))
        self.assertFalse(client.putscript("bad", BAD))
        self.assertTrue(client.setactive("main"))
        self.assertEqual(client.listscripts(), ("main", []))
        self.assertTrue(client.renamescript("main", "Grüße"))
        self.assertEqual(client.listscripts(), ("Grüße", []))
        self.assertEqual(client.getscript("Grüße").rstrip("\n"), GOOD.rstrip("\n"))
        self.assertFalse(client.deletescript("Grüße"), "it is active")
        self.assertTrue(client.setactive(""))
        self.assertTrue(client.deletescript("Grüße"))
        client.logout()

    def test_net_managesieve(self):
        if subprocess.run(["perl", "-MNet::ManageSieve", "-e1"], capture_output=True).returncode:
            self.skipTest("libnet-managesieve-perl isn't installed")
        output = harness.run(["/usr/bin/perl", harness.HERE / "managesieve.pl", self.server.host,
                              self.port, self.new_user(), harness.PASSWORD])
        self.assertTrue(output.endswith(b"logout\n"), output)


if __name__ == "__main__":
    harness.need("sieve-connect", "perl")
    harness.main()
