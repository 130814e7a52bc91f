#!/usr/bin/python3
"""Sieve from end to end: a script goes in over ManageSieve, mail over LMTP, the result is read over
IMAP, and what scripts send arrives at an SMTP server in Python (smtpd is gone from its library)."""

import base64
import http.server
import json
import socket
import socketserver
import threading

import harness
from harness import LmtpClient, make_message

# Above the instance's port base, where none of its services listens.
SINK_OFFSET = 500
HOOK_OFFSET = 501


class Sink(socketserver.ThreadingTCPServer):
    """Takes mail and keeps it as (sender, recipients, octets); refuses where the recipient says."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", port), SinkSession)
        self.mail = []
        self.commands = []  # every MAIL and RCPT as it came

    def to(self, recipient):
        """All mail for `recipient` so far: (sender, octets). LMTP answers after it was sent."""
        return [(sender, octets) for sender, to, octets in self.mail if recipient in to]


class SinkSession(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        sender, recipients = "", []
        self.say("220 sink ESMTP")
        for raw in self.rfile:
            line = raw.decode().strip()
            verb = line[:4].upper()
            if verb in ("MAIL", "RCPT"):
                self.server.commands.append(line)
            if verb == "EHLO":
                for word in ("250-sink", "250-DSN", "250-DELIVERBY 60", "250 8BITMIME"):
                    self.say(word)
            elif verb == "MAIL":
                sender = line[line.index("<") + 1:line.index(">")]
                self.say("250 ok")
            elif verb == "RCPT":
                recipient = line[line.index("<") + 1:line.index(">")]
                code = {"gone": 550, "later": 450}.get(recipient.split("@")[0], 250)
                recipients += [recipient] if code == 250 else []
                self.say(f"{code} answer")
            elif verb == "DATA":
                self.say("354 go ahead")
                octets = b""
                while (text := self.rfile.readline()) not in (b".\r\n", b""):
                    octets += text[1:] if text.startswith(b"..") else text
                self.server.mail.append((sender, recipients, octets))
                recipients = []
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


class Hook(http.server.ThreadingHTTPServer):
    """Takes posts and keeps them as (path, object); /no answers 403."""

    daemon_threads = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", port), HookRequest)
        self.posts = []


class HookRequest(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        octets = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, json.loads(octets)))
        self.send_response(403 if self.path.endswith("/no") else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


class ManageSieve:
    """As much of RFC 5804 as it takes to put a script."""

    def __init__(self, host, port, user):
        self.socket = socket.create_connection((host, port), timeout=10)
        self.lines = self.socket.makefile("rb")
        self.answer()
        secret = f"\0{user}\0{harness.PASSWORD}".encode()
        self.command(f'AUTHENTICATE "PLAIN" "{base64.b64encode(secret).decode()}"')

    def answer(self):
        while line := self.lines.readline().decode():
            if line.startswith("OK"):
                return
            if line.startswith(("NO", "BYE")):
                raise AssertionError(line)
        raise AssertionError("ManageSieve closed the connection")

    def command(self, line):
        self.socket.sendall(line.encode() + b"\r\n")
        self.answer()

    def activate(self, script):
        octets = script.encode()
        self.command(f'PUTSCRIPT "main" {{{len(octets)}+}}\r\n{script}')
        self.command('SETACTIVE "main"')

    def close(self):
        self.command("LOGOUT")
        self.lines.close()
        self.socket.close()


class Sieve(harness.ClientTest):
    sink = None
    hook = None

    def setUp(self):
        super().setUp()
        if self.options.against != "postern":
            self.skipTest("scripts are put as Postern takes them")

    def user_with(self, script):
        user = self.new_user()
        self.imap(user)  # the first login makes the mailboxes
        client = ManageSieve(self.server.host, int(self.server.env["SIEVE_PORT"]), user)
        client.activate(script)
        client.close()
        return user

    def codes(self, recipients, message, sender="carl@example.net"):
        """The reply code of each recipient behind the text."""
        with LmtpClient(self.server) as client:
            client.mail(sender)
            for recipient in recipients:
                client.rcpt(recipient)
            client.putcmd("data")
            client.getreply()
            client.send(message + b".\r\n")
            return [client.getreply()[0] for _ in recipients]

    def test_fileinto_creates_and_flags(self):
        user = self.user_with('require ["fileinto", "mailbox", "imap4flags"];\n'
                              'if header :contains "subject" "test" {\n'
                              '  fileinto :create :flags ["\\\\Seen", "$Work"] "Lists/dev"; }')
        self.deliver(user, make_message(1))
        client = self.imap(user)
        self.assertEqual(client.choose(), 0)
        self.assertEqual(client.choose("Lists/dev"), 1)
        self.assertEqual(client.flags(1), {"\\Seen", "$Work"})

    def test_discard_and_reject_touch_no_other_recipient(self):
        gone = self.user_with("discard;")
        refusing = self.user_with('require "reject"; reject "No.";')
        plain = self.new_user()
        self.assertEqual(self.codes([gone, refusing, plain], make_message(2)), [250, 550, 250])
        self.assertEqual([self.imap(user).choose() for user in (gone, refusing, plain)], [0, 0, 1])

    def test_redirect_arrives_at_the_mta(self):
        user = self.user_with('require "copy"; redirect :copy "dora@example.com";')
        message = make_message(3, subject="Redirect")
        self.assertEqual(self.codes([user], message), [250])
        (sender, octets), = self.sink.to("dora@example.com")
        self.assertEqual(sender, "carl@example.net")
        self.assertTrue(octets.endswith(message))
        self.assertIn(b"X-Sieve-Redirected-From: " + user.encode(), octets)
        self.assertEqual(self.imap(user).choose(), 1)

    def test_redirect_that_must_wait_delivers_nothing(self):
        user = self.user_with('require "copy"; redirect :copy "later@example.com";')
        self.assertEqual(self.codes([user], make_message(4)), [451])
        self.assertEqual(self.imap(user).choose(), 0)

    def test_redirect_refused_for_good_is_kept(self):
        user = self.user_with('redirect "gone@example.com";')
        self.assertEqual(self.codes([user], make_message(5)), [250])
        self.assertEqual(self.imap(user).choose(), 1)

    def test_vacation_answers_once(self):
        user = self.user_with('require "vacation"; vacation :addresses "user@example.org" '
                              ':subject "Away" "Back in May.";')
        for number in (6, 7):
            self.assertEqual(self.codes([user], make_message(number), "eve@example.net"), [250])
        (sender, octets), = self.sink.to("eve@example.net")
        self.assertEqual(sender, "")
        self.assertIn(b"Subject: Away\r\n", octets)
        self.assertIn(b"In-Reply-To: <6.test@example.net>", octets)
        self.assertTrue(octets.endswith(b"\r\n\r\nBack in May.\r\n"))
        self.assertEqual(self.imap(user).choose(), 2)

    def test_notify_sends_mail(self):
        user = self.user_with('require "enotify"; notify :message "It came" '
                              '"mailto:pager@example.com";')
        self.deliver(user, make_message(8))
        (_, octets), = self.sink.to("pager@example.com")
        self.assertIn(b"Subject: It came\r\n", octets)
        self.assertIn(b"Auto-Submitted: auto-notified", octets)

    def test_parameters_of_redirect_reach_the_mta(self):
        user = self.user_with('require ["redirect-dsn", "redirect-deliverby"];\n'
                              'redirect :notify "failure" :ret "HDRS" :bytimerelative 600\n'
                              '         :bymode "return" :bytrace "erik@example.com";')
        self.assertEqual(self.codes([user], make_message(10)), [250])
        self.assertIn("RCPT TO:<erik@example.com> NOTIFY=FAILURE", self.sink.commands)
        self.assertIn("MAIL FROM:<carl@example.net> RET=HDRS BY=600;RT", self.sink.commands)

    def test_a_vacation_reply_asks_for_no_report(self):
        user = self.user_with('require "vacation"; vacation :addresses "user@example.org" "Away.";')
        self.assertEqual(self.codes([user], make_message(11), "fred@example.net"), [250])
        self.assertIn("RCPT TO:<fred@example.net> NOTIFY=NEVER", self.sink.commands)

    def test_notify_posts_to_a_webhook_once(self):
        base = f"http://127.0.0.1:{self.hook.server_port}"
        user = self.user_with('require "enotify";\n'
                              f'notify :message "It came" :options "a=b" "{base}/mail/anna";\n'
                              f'notify "{base}/mail/no"; notify "{base}/admin";')
        for _ in range(2):  # the MTA's next try is told nothing new
            self.assertEqual(self.codes([user], make_message(12)), [250])
        mine = [(path, post) for path, post in self.hook.posts if post["user"] == user]
        self.assertEqual({path for path, _ in mine}, {"/mail/anna", "/mail/no"})
        (path, post), = [one for one in mine if one[0] == "/mail/anna"]
        self.assertEqual((post["message"], post["options"], post["sender"]),
                         ("It came", {"a": "b"}, "carl@example.net"))
        self.assertEqual(self.imap(user).choose(), 1)

    def test_an_error_keeps_the_mail(self):
        user = self.user_with('require ["variables", "fileinto"]; fileinto "Trash";\n'
                              'redirect "${nobody}";')
        self.deliver(user, make_message(9))
        self.assertEqual(self.imap(user).choose(), 1)


def main():
    port = harness.arguments()[0].port_base + SINK_OFFSET
    Sieve.sink = Sink(port)
    Sieve.hook = Hook(port + HOOK_OFFSET - SINK_OFFSET)
    Sieve.settings = [f"sieve.submission=smtp://127.0.0.1:{port}",
                      f"sieve.webhooks=http://127.0.0.1:{Sieve.hook.server_port}/mail/"]
    for server in (Sieve.sink, Sieve.hook):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    harness.main()


if __name__ == "__main__":
    main()
