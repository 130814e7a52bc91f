#!/usr/bin/python3
"""Mail through a real MTA: Postfix delivers over LMTP, and what IMAP gives back is byte-exact.

Sends every *.eml of --corpus (default: tests/corpus). What may differ is the trace header fields
that Postfix and the server put in front (RFC 5321 §4.4).
"""

import re
import smtplib
import subprocess
import time

import harness

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
mail_owner = postfix
setgid_group = postdrop
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {home}/mail.log
maillog_file_prefixes = {home}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.org
mynetworks = 127.0.0.0/8
mydestination =
virtual_mailbox_domains = example.org
virtual_mailbox_maps = static:all
virtual_transport = lmtp:inet:{host}:{lmtp}
alias_maps =
biff = no
message_size_limit = 0
# Nothing of the message is to be touched on its way.
local_header_rewrite_clients =
message_drop_headers =
always_add_missing_headers = no
lmtp_line_length_limit = 0
header_size_limit = 1000000
"""

MASTER_CF = """
127.0.0.1:{smtp} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
lmtp unix - - n - - lmtp
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

TRACE = re.compile(rb"(?:(?:Return-Path|Received|Delivered-To|X-Original-To):[^\r\n]*\r\n"
                   rb"(?:[ \t][^\r\n]*\r\n)*)*")


class PostfixBase(harness.ClientTest):
    """A Postfix of its own for each test; `extra_main_cf` adds to its main.cf."""

    def extra_main_cf(self):
        return ""

    def setUp(self):
        super().setUp()
        self.smtp_port = self.options.port_base + 25
        self.home.chmod(0o755)
        for name, owner in (("queue", "root"), ("data", "postfix")):
            (self.home / name).mkdir()
            harness.run(["chown", owner, self.home / name])
        self.write("main.cf", MAIN_CF.format(home=self.home, host=self.server.host,
                                             lmtp=self.server.lmtp_port) + self.extra_main_cf(),
                   0o644)
        self.write("master.cf", MASTER_CF.format(smtp=self.smtp_port), 0o644)
        # Postfix' daemons outlive this command and would hold a pipe open.
        subprocess.run(["postfix", "-c", str(self.home), "start"], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        self.addCleanup(subprocess.run, ["postfix", "-c", str(self.home), "stop"],
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.live.instance.wait_for_greeting("127.0.0.1", self.smtp_port)


class Postfix(PostfixBase):
    settings = ["auth.default_domain=example.org"]

    def submit(self, user, messages):
        """Sends each message under the envelope sender m<n>@example.net."""
        with smtplib.SMTP("127.0.0.1", self.smtp_port) as client:
            client.ehlo()
            for number, (_, octets) in enumerate(messages):
                client.sendmail(f"m{number}@example.net", [f"{user}@example.org"], octets,
                                ["BODY=8BITMIME"])

    def wait_for_mail(self, client, count):
        """Returns when INBOX holds `count` messages; fails after a minute without a new one."""
        seen, deadline = -1, time.monotonic() + 60
        while seen < count:
            exists = client.choose()
            if exists != seen:
                seen, deadline = exists, time.monotonic() + 60
            elif time.monotonic() > deadline:
                log = (self.home / "mail.log").read_text()[-2000:]
                self.fail(f"{exists} of {count} messages arrived\n{log}")
            else:
                time.sleep(0.1)

    def difference(self, original, got):
        """None when `got` is trace header fields and then `original`."""
        trace = TRACE.match(got).end()
        expected = mbox_line_renamed(original)
        # Trace fields of the original's own follow those that were added.
        if got.endswith(expected) and len(got) - len(expected) <= trace:
            return None
        return f"{len(expected)} octets sent, {len(got) - trace} behind the trace fields"

    def test_every_message_arrives_byte_exact(self):
        messages = list(harness.corpus_messages(self.options.corpus))
        self.assertTrue(messages, f"no *.eml in {self.options.corpus}")
        user = self.new_user()
        self.submit(user, messages)
        client = self.imap(user)
        self.wait_for_mail(client, len(messages))
        seen, wrong = set(), []
        for uid in client.uids():
            got = client.body(uid)
            number = int(re.match(rb"Return-Path: <m(\d+)@", got).group(1))
            self.assertNotIn(number, seen, "delivered twice")
            seen.add(number)
            name, original = messages[number]
            if found := self.difference(original, got):
                wrong.append(f"{name}: {found}")
        self.assertEqual(len(seen), len(messages))
        self.assertEqual(wrong, [])

    def test_an_unknown_user_bounces_at_once(self):
        if self.server.name != "postern":
            self.skipTest("concerns Postern's answer")
        self.submit("nobody-here", [("none", harness.make_message(1))])
        deadline = time.monotonic() + 30
        while b"status=bounced" not in (self.home / "mail.log").read_bytes():
            self.assertLess(time.monotonic(), deadline, "no bounce in the MTA's log")
            time.sleep(0.1)


def mbox_line_renamed(octets):
    """Postfix' smtpd turns an mbox line at the start into a header field."""
    return re.sub(rb"\A(>?From )", rb"X-Mailbox-Line: \1", octets)


if __name__ == "__main__":
    harness.need("postfix")
    harness.main()
