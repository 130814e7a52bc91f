#!/usr/bin/python3
"""POP3 with poplib, curl, mpop and getmail: fetch and keep, fetch and delete, over TLS as well."""

import email
import email.policy
import os
import poplib
import ssl

import harness
from harness import make_message

MPOP = """
account live
host {host}
port {port}
user {user}
password pass
auth user
tls {tls}
tls_starttls off
tls_certcheck off
keep {keep}
delivery maildir {home}/maildir
uidls_file {home}/uidls
received_header off
"""

GETMAIL = """
[retriever]
type = SimplePOP3Retriever
server = {host}
port = {port}
username = {user}
password = pass

[destination]
type = Maildir
path = {home}/maildir/

[options]
delete = {delete}
read_all = false
delivered_to = false
received = false
"""


class Pop3(harness.ClientTest):
    def setUp(self):
        super().setUp()
        if self.server.pop3_port is None:
            self.skipTest("the server has no POP3 yet")
        for sub in ("cur", "new", "tmp"):
            (self.home / "maildir" / sub).mkdir(parents=True)

    def filled(self, count):
        """A user with `count` messages that end in known texts; (user, texts)."""
        user = self.new_user()
        messages = [make_message(n, size=3000) for n in range(count)]
        self.deliver(user, *messages)
        return user, [message.split(b"\r\n\r\n", 1)[1] for message in messages]

    def fetched(self):
        """The bodies in the Maildir, sorted as the messages are numbered."""
        files = [path for sub in ("cur", "new") for path in (self.home / "maildir" / sub).glob("*")]
        octets = [path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                  for path in files]
        return sorted(text.split(b"\r\n\r\n", 1)[1] for text in octets)

    def mpop(self, user, keep, tls=False):
        port = self.server.pop3s_port if tls else self.server.pop3_port
        config = self.write("mpoprc", MPOP.format(
            host=self.server.host, port=port, user=user, home=self.home,
            keep="on" if keep else "off", tls="on" if tls else "off"))
        harness.run(["mpop", "-C", config, "-a"])

    def getmail(self, user, delete):
        self.write("getmailrc", GETMAIL.format(host=self.server.host, port=self.server.pop3_port,
                                               user=user, home=self.home, delete=delete))
        # As root it refuses to write to a Maildir.
        other = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
        if other:
            harness.run(["chown", "-R", "nobody:nogroup", self.home])
        harness.run(["/usr/bin/getmail", "--getmaildir", self.home, "--rcfile", "getmailrc"],
                    env={"HOME": str(self.home), "PATH": harness.PATH}, **other)

    def curl(self, user, path, *options):
        return harness.run(["curl", "--silent", "--show-error", "--user", f"{user}:pass", *options,
                            f"pop3://{self.server.host}:{self.server.pop3_port}/{path}"])

    def test_poplib_lists_reads_and_deletes(self):
        user, texts = self.filled(3)
        client = poplib.POP3(self.server.host, self.server.pop3_port)
        client.user(user)
        client.pass_("pass")
        self.assertEqual(client.stat()[0], 3)
        uids = [line.split()[1] for line in client.uidl()[1]]
        self.assertEqual(len(set(uids)), 3)
        lines = client.retr(2)[1]
        self.assertTrue((b"\r\n".join(lines) + b"\r\n").endswith(texts[1]))
        self.assertEqual(client.top(3, 0)[1][-1], b"")
        client.dele(2)
        client.quit()
        self.assertEqual(self.imap(user).choose(), 2)

    def test_poplib_forgets_deletions_without_quit(self):
        user, _ = self.filled(2)
        client = poplib.POP3(self.server.host, self.server.pop3_port)
        client.user(user)
        client.pass_("pass")
        client.dele(1)
        client.rset()
        client.dele(2)
        client.close()
        self.assertEqual(self.imap(user).choose(), 2)

    def test_poplib_reads_international_mail_in_both_modes(self):
        user = self.new_user()
        text = ("From: Zoë <zoë@exämple.org>\r\nTo: Jürgen <j@example.org>\r\nSubject: Grüße\r\n"
                'Content-Type: text/plain; charset=utf-8; name="ü.txt"\r\n'
                "Content-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n").encode()
        self.deliver(user, text)
        self.assertEqual(self.first_message(user, utf8=True)[-len(text):], text)
        surrogate = self.first_message(user, utf8=False)
        self.assertTrue(surrogate.split(b"\r\n\r\n")[0].isascii())
        message = email.message_from_bytes(surrogate, policy=email.policy.SMTP)
        sender, receiver = message["From"].addresses[0], message["To"].addresses[0]
        self.assertEqual(sender.addr_spec, "invalid@internationalized-address.invalid")
        self.assertEqual(sender.display_name, "Zoë <zoë@exämple.org>")
        self.assertEqual((receiver.display_name, receiver.addr_spec), ("Jürgen", "j@example.org"))
        self.assertEqual(message["Subject"], "Grüße")
        self.assertEqual(message.get_filename(), "ü.txt")
        self.assertEqual(message.get_content(), "Grüße\r\n")

    def first_message(self, user, utf8):
        client = poplib.POP3(self.server.host, self.server.pop3_port)
        if utf8:
            client.utf8()
        client.user(user)
        client.pass_("pass")
        octets = b"".join(line + b"\r\n" for line in client.retr(1)[1])
        client.quit()
        return octets

    def test_curl_lists_and_reads(self):
        user, texts = self.filled(2)
        self.assertEqual(len(self.curl(user, "").split()), 4)
        self.assertTrue(self.curl(user, "2").endswith(texts[1]))

    def test_mpop_keeps_then_deletes(self):
        user, texts = self.filled(4)
        self.mpop(user, keep=True)
        self.assertEqual(self.fetched(), texts)
        self.assertEqual(self.imap(user).choose(), 4)
        self.mpop(user, keep=False)
        self.assertEqual(self.fetched(), texts, "fetched again what it had")
        self.assertEqual(self.imap(user).choose(), 0)

    def test_mpop_over_tls(self):
        if self.server.pop3s_port is None:
            self.skipTest("the server has no POP3 over TLS yet")
        user, texts = self.filled(2)
        self.mpop(user, keep=False, tls=True)
        self.assertEqual(self.fetched(), texts)

    def test_getmail_keeps_then_deletes(self):
        user, texts = self.filled(4)
        self.getmail(user, "false")
        self.assertEqual(self.fetched(), texts)
        self.getmail(user, "true")
        self.assertEqual(self.fetched(), texts, "fetched again what it had")
        self.assertEqual(self.imap(user).choose(), 0)

    def test_poplib_over_tls(self):
        if self.server.pop3s_port is None:
            self.skipTest("the server has no POP3 over TLS yet")
        user, _ = self.filled(1)
        context = ssl._create_unverified_context()
        client = poplib.POP3_SSL(self.server.host, self.server.pop3s_port, context=context)
        client.user(user)
        client.pass_("pass")
        self.assertEqual(client.stat()[0], 1)
        client.quit()


if __name__ == "__main__":
    harness.need("curl", "mpop", "getmail")
    harness.main()
