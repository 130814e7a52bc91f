#!/usr/bin/python3
"""Scripts behind a real MTA: mail comes in over SMTP, Postfix hands it over LMTP, the script
decides, and what the script sends goes back through Postfix to an SMTP sink."""

import smtplib
import threading
import time

import harness
import postfix_test
import sieve_test
from harness import make_message

DEADLINE = 60  # seconds for one message through all queues


class PostfixSieve(postfix_test.PostfixBase):
    sink = None

    def setUp(self):
        super().setUp()
        if self.options.against != "postern":
            self.skipTest("scripts are put as Postern takes them")

    def extra_main_cf(self):
        """All mail that isn't for the server goes to the sink."""
        return f"default_transport = smtp:[127.0.0.1]:{self.sink.server_address[1]}\n" \
               "smtp_host_lookup = native\n"

    def user_with(self, script):
        user = self.new_user()
        self.imap(user)
        client = sieve_test.ManageSieve(self.server.host, int(self.server.env["SIEVE_PORT"]), user)
        client.activate(script)
        client.close()
        return user

    def send(self, user, message, sender="carl@example.net"):
        with smtplib.SMTP("127.0.0.1", self.smtp_port) as client:
            client.sendmail(sender, [f"{user}@example.org"], message)

    def wait_for(self, what, condition):
        deadline = time.monotonic() + DEADLINE
        while not (found := condition()):
            self.assertLess(time.monotonic(), deadline,
                            f"{what}\n" + (self.home / "mail.log").read_text()[-2000:])
            time.sleep(0.1)
        return found

    def wait_for_sink(self, recipient, count=1):
        self.wait_for(f"mail for {recipient}", lambda: len(self.sink.to(recipient)) >= count)
        return self.sink.to(recipient)

    def test_folders_and_flags(self):
        user = self.user_with('require ["fileinto", "mailbox", "imap4flags", "environment"];\n'
                              'if header :contains "subject" "test" {\n'
                              '  fileinto :create :flags ["\\\\Seen", "$Work"] "Lists/dev"; }\n'
                              'if environment "remote-ip" "127.0.0.1" { addflag "local"; keep; }')
        self.send(user, make_message(1))
        client = self.imap(user)
        self.wait_for("the copy in INBOX", lambda: client.choose() == 1)
        self.assertIn("local", client.flags(1))
        self.assertEqual(client.choose("Lists/dev"), 1)
        self.assertEqual(client.flags(1), {"\\Seen", "$Work"})

    def test_a_vacation_reply_once(self):
        user = self.user_with('require "vacation"; vacation :subject "Away" "Back in May.";')
        message = make_message(2).replace(b"user@example.org", f"{user}@example.org".encode())
        self.send(user, message, "eve@example.net")
        (sender, octets), = self.wait_for_sink("eve@example.net")
        self.assertEqual(sender, "")
        self.assertIn(b"Subject: Away\r\n", octets)
        self.send(user, message.replace(b"<2.test", b"<2b.test"), "eve@example.net")
        client = self.imap(user)
        self.wait_for("the second message", lambda: client.choose() == 2)
        self.assertEqual(len(self.sink.to("eve@example.net")), 1)

    def test_redirect(self):
        user = self.user_with('require "copy"; redirect :copy "dora@example.com";')
        self.send(user, make_message(3, subject="Redirect"))
        (sender, octets), = self.wait_for_sink("dora@example.com")
        self.assertEqual(sender, "carl@example.net")
        self.assertIn(b"Subject: Redirect 3\r\n", octets)

    def test_reject_bounces_with_the_reason(self):
        user = self.user_with('require "reject"; reject "No birdseed, please.";')
        self.send(user, make_message(4), "fred@example.net")
        (sender, octets), = self.wait_for_sink("fred@example.net")
        self.assertEqual(sender, "")
        self.assertIn(b"No birdseed, please.", octets)

    def test_notify(self):
        user = self.user_with('require "enotify"; notify :message "It came" '
                              '"mailto:pager@example.com";')
        self.send(user, make_message(5))
        (sender, octets), = self.wait_for_sink("pager@example.com")
        self.assertEqual(sender, f"{user}@example.org")
        self.assertIn(b"Subject: It came\r\n", octets)

    def test_duplicate(self):
        user = self.user_with('require ["duplicate", "fileinto"];\n'
                              'if duplicate { fileinto "Trash"; }')
        self.send(user, make_message(6))
        client = self.imap(user)
        self.wait_for("the first", lambda: client.choose() == 1)
        self.send(user, make_message(6) + b"and a footer\r\n")
        self.wait_for("the second", lambda: client.choose("Trash") == 1)
        self.assertEqual(client.choose(), 1)


def main():
    base = harness.arguments()[0].port_base
    PostfixSieve.sink = sieve_test.Sink(base + sieve_test.SINK_OFFSET)
    PostfixSieve.settings = ["auth.default_domain=example.org",
                             f"sieve.submission=smtp://127.0.0.1:{base + 25}"]
    threading.Thread(target=PostfixSieve.sink.serve_forever, daemon=True).start()
    harness.main()


if __name__ == "__main__":
    harness.need("postfix")
    main()
