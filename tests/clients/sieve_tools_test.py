#!/usr/bin/python3
"""postern sieve list, put, get, activate, delete and filter on a running server: what they change
is what ManageSieve, delivery and open IMAP sessions see."""

import json
import subprocess
from pathlib import Path

import harness
from harness import make_message

FILING = ('require ["fileinto", "imap4flags", "mailbox"];\n'
          'if header :contains "subject" "list" { fileinto :create "Lists"; }\n'
          'elsif header :contains "subject" "flag" { keep :flags "\\\\Flagged"; }\n'
          'elsif header :contains "subject" "spam" { discard; }\n')


class SieveTools(harness.ClientTest):
    def setUp(self):
        super().setUp()
        if self.options.against != "postern":
            self.skipTest("concerns Postern's own tools")

    def postern(self, *words, text=None):
        """(status, standard output, standard error) of `postern sieve WORDS`."""
        done = subprocess.run(
            [str(Path(self.server.env["BIN"]) / "postern"), "--config", self.server.env["CONFIG"],
             "sieve", *words], input=text, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def ok(self, *words, text=None):
        status, out, error = self.postern(*words, text=text)
        self.assertEqual(status, 0, error + out)
        return out

    def user(self):
        """A user who has mailboxes."""
        user = self.new_user()
        self.imap(user)
        return user

    def test_scripts_of_a_user(self):
        user = self.user()
        self.ok("put", user, "one", text="keep;\n")
        path = self.write("two.sieve", "discard;\n")
        path.parent.chmod(0o755)
        path.chmod(0o644)
        self.ok("put", user, "two", str(path), "--activate")
        self.assertEqual(self.ok("get", user, "two"), "discard;\n")
        rows = [json.loads(line) for line in self.ok("list", "--json", user).splitlines()]
        self.assertEqual(rows, [{"name": "one", "size": 6, "active": False},
                                {"name": "two", "size": 9, "active": True}])
        self.deliver(user, make_message(1))
        self.assertEqual(self.imap(user).choose(), 0, "the active script discards")
        self.assertEqual(self.postern("delete", user, "two")[0], 75, "it is active")
        self.ok("activate", user)
        self.ok("delete", user, "two")
        self.deliver(user, make_message(2))
        self.assertEqual(self.imap(user).choose(), 1)

    def test_put_refuses_a_script_with_errors(self):
        user = self.user()
        status, out, _ = self.postern("put", user, "bad", text="keep;\nfileinto \"x\";\n")
        self.assertEqual(status, 65)
        self.assertIn("-:2:1: the command 'fileinto' needs", out)
        self.assertEqual(self.ok("list", user), "")
        self.assertEqual(self.postern("list", "nobody-here")[0], 67)

    def test_filter_files_flags_and_discards(self):
        user = self.user()
        client = self.imap(user)
        subjects = ("list", "flag", "spam", "other")
        for number, subject in enumerate(subjects):
            client.add("INBOX", make_message(number, subject=subject), "\\Seen")
        script = str(self.write("filing.sieve", FILING))
        dry = self.ok("filter", user, "INBOX", "--script", script, "--dry-run", "--json")
        self.assertEqual(client.choose(), 4, "a dry run changes nothing")
        actions = [json.loads(line)["action"] for line in dry.splitlines()]
        self.assertEqual(actions, ["fileinto", "keep", "discard", "keep"])
        self.ok("filter", user, "INBOX", "--script", script)
        self.assertEqual(client.choose(), 3)
        self.assertEqual([client.flags(uid) for uid in client.uids()],
                         [{"\\Flagged"}, {"\\Seen", "\\Deleted"}, {"\\Seen"}])
        self.assertEqual(client.choose("Lists"), 1)
        self.assertEqual(client.flags(1), {"\\Seen"}, "a script without flags leaves them alone")
        self.ok("filter", user, "INBOX", "--script", script, "--expunge")
        self.assertEqual(client.choose(), 2)

    def test_filter_sends_no_mail_and_keeps_what_it_would_have_sent(self):
        user = self.user()
        client = self.imap(user)
        client.add("INBOX", make_message(1))
        script = str(self.write("away.sieve", 'redirect "dora@example.com";'))
        status, _, error = self.postern("filter", user, "INBOX", "--script", script)
        self.assertEqual(status, 0)
        self.assertIn("left out: redirect", error)
        self.assertEqual(client.choose(), 1)

    def test_filter_with_edited_messages(self):
        user = self.user()
        client = self.imap(user)
        client.add("INBOX", make_message(1), "\\Answered")
        self.ok("put", user, "edit", "--activate", text='require "editheader";\n'
                'addheader "X-Seen-By" "sieve";\n')
        self.ok("filter", user, "INBOX")
        client.choose()
        uid, = client.uids()
        self.assertTrue(client.body(uid).startswith(b"X-Seen-By: sieve\r\nFrom: "))
        self.assertEqual(client.flags(uid), {"\\Answered"})

    def test_an_idling_session_hears_of_it(self):
        user = self.user()
        client = self.imap(user)
        client.add("INBOX", make_message(1, subject="list"))
        client.choose()
        client.send(b"i1 IDLE\r\n")
        self.assertTrue(client.readline().startswith(b"+"))
        self.ok("filter", user, "INBOX", "--script", str(self.write("f.sieve", FILING)))
        client.sock.settimeout(30)
        self.assertEqual(client.readline(), b"* 1 EXPUNGE\r\n")
        client.send(b"DONE\r\n")
        self.assertTrue(client.readline().startswith(b"i1 OK"))


if __name__ == "__main__":
    harness.main()
