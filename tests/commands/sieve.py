#!/usr/bin/env python3
"""postern sieve check and postern sieve test: output and exit codes. usage: sieve.py POSTERN"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

POSTERN = sys.argv.pop(1)
MESSAGE = b"""Return-Path: <tim@example.org>\r
From: tim@example.org\r
To: anna@example.com\r
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= [dev]\r
\r
text\r
"""


class SieveCommands(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)
        (self.path / "m.eml").write_bytes(MESSAGE)

    def script(self, text, name="s.sieve"):
        (self.path / name).write_text(text)
        return str(self.path / name)

    def postern(self, *arguments, **more):
        return subprocess.run([POSTERN, "sieve", *arguments], capture_output=True, **more)

    def actions(self, text, *options):
        result = self.postern("test", "--json", "--message", str(self.path / "m.eml"), *options,
                              self.script(text))
        self.assertEqual(result.returncode, 0, result.stderr)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def test_check_is_silent_about_good_scripts(self):
        result = self.postern("check", self.script("keep;"))
        self.assertEqual((result.returncode, result.stdout), (0, b""))

    def test_check_names_file_line_and_column(self):
        bad = self.script("keep;\nfileinto \"x\";\n")
        result = self.postern("check", self.script("stop;", "good.sieve"), bad)
        self.assertEqual(result.returncode, 65)
        self.assertEqual(result.stdout.decode(),
                         f"{bad}:2:1: the command 'fileinto' needs: require \"fileinto\";\n")

    def test_check_of_a_missing_file(self):
        self.assertEqual(self.postern("check", "/nonexistent").returncode, 66)

    def test_usage(self):
        self.assertEqual(self.postern("test").returncode, 64)

    def test_actions_as_json(self):
        self.assertEqual(
            self.actions('require ["fileinto","mailbox","imap4flags"];'
                         'fileinto :create :flags "\\\\Seen" "Lists/dev"; keep;'),
            [{"action": "fileinto", "mailbox": "Lists/dev", "flags": ["\\Seen"], "copy": False,
              "create": True},
             {"action": "keep", "implicit": False, "flags": []}])

    def test_implicit_keep(self):
        self.assertEqual(self.actions(""), [{"action": "keep", "implicit": True, "flags": []}])

    def test_envelope(self):
        text = ('require ["envelope","fileinto"]; if envelope "from" "tim@example.org" {discard;}'
                'if envelope "from" "" {fileinto "null";} if envelope "to" "anna" {stop;}'
                'if envelope :localpart "to" "anna" {fileinto "anna";}')
        names = lambda *options: [a.get("mailbox", a["action"])
                                  for a in self.actions(text, *options)]
        self.assertEqual(names("--user", "anna@example.com"), ["discard", "anna"])
        self.assertEqual(names("--envelope-from", "<>"), ["null"])
        self.assertEqual(names("--envelope-from", "x@y.z", "--envelope-to", "anna@b"), ["anna"])

    def test_error_of_the_run(self):
        self.assertEqual(
            self.actions('require ["fileinto","variables"];\nfileinto "${none}";'),
            [{"error": "\"\" can't be a mailbox's name", "line": 2},
             {"action": "keep", "implicit": True, "flags": []}])

    def test_vacation(self):
        found = self.actions('require "vacation"; vacation "away";', "--user", "anna@example.com")
        self.assertEqual(found[0]["to"], "tim@example.org")
        self.assertEqual(found[0]["subject"], "Auto: Grüße [dev]")

    def test_each_action_has_its_members(self):
        found = self.actions(
            'require ["fileinto","copy","imap4flags","special-use","mailboxid","redirect-dsn",'
            '"redirect-deliverby","vacation","fcc","enotify","editheader","replace","enclose",'
            '"vnd.dovecot.debug","vnd.dovecot.pipe"];'
            'debug_log "note"; addheader :last "X-B" "c"; deleteheader "Subject";'
            'fileinto :copy :flags ["\\\\Seen","x"] "A"; fileinto :specialuse "\\\\Junk" "B";'
            'fileinto :mailboxid "F1" "C";'
            'redirect :copy :notify "NEVER" :ret "FULL" :bytimerelative 60 :bymode "notify" :bytrace'
            ' "b@example.com";'
            'vacation :days 3 :handle "h" :fcc "Sent" "gone";'
            'notify :importance "1" :from "a@example.com" :options ["a=b"] :message "m"'
            ' "mailto:c@example.com";'
            'pipe :copy :try "learn" ["a"]; enclose :subject "S" "t"; replace "n"; keep :flags "y";',
            "--user", "anna@example.com")
        filed = {"action": "fileinto", "flags": [], "copy": False, "create": False}
        self.assertEqual(found, [
            {"action": "log", "text": "note"},
            {"action": "addheader", "name": "X-B", "value": "c", "last": True},
            {"action": "deleteheader", "name": "Subject", "count": 1},
            {**filed, "mailbox": "A", "flags": ["\\Seen", "x"], "copy": True},
            {**filed, "mailbox": "B", "specialuse": "\\Junk"},
            {**filed, "mailbox": "C", "mailboxid": "F1"},
            {"action": "redirect", "address": "b@example.com", "copy": True, "notify": "NEVER",
             "ret": "FULL", "deliver_by": 60, "by_mode": "N", "by_trace": True},
            {"action": "vacation", "to": "tim@example.org", "from": "anna@example.com",
             "subject": "Automated reply", "reason": "gone", "mime": False, "handle": "handle:h",
             "seconds": 259200, "fcc": {"mailbox": "Sent", "flags": [], "create": False}},
            {"action": "notify", "method": "mailto:c@example.com", "importance": 1, "message": "m",
             "options": ["a=b"], "from": "a@example.com"},
            {"action": "pipe", "program": "learn", "arguments": ["a"], "copy": True, "try": True},
            {"action": "enclose", "subject": "S"},
            {"action": "replace", "part": ""},
            {"action": "keep", "implicit": False, "flags": ["y"]}])

    def handle(self, text, *options):
        return self.actions('require ["vacation","variables"];' + text, "--user",
                            "anna@example.com", *options)[0]["handle"]

    def test_replies_are_tracked_by_what_the_script_says(self):
        # RFC 5230 §4.2: other arguments are another reply; a handle makes them one; variables
        # aren't expanded before.
        self.assertNotEqual(self.handle('vacation "a";'), self.handle('vacation "b";'))
        self.assertNotEqual(self.handle('vacation :subject "a" "b";'),
                            self.handle('vacation :from "a@example.com" "b";'))
        self.assertEqual(self.handle('vacation :handle "h" "a";'),
                         self.handle('vacation :handle "h" :subject "s" "b";'))
        text = 'set "s" "{}"; vacation :subject "Auto: ${{s}}" "away";'
        self.assertEqual(self.handle(text.format("one")), self.handle(text.format("two")))

    HOSTILE = {
        "blocks": "if true {" * 5000 + "keep;" + "}" * 5000,
        "tests": "if " + "anyof(" * 50000 + "true" + ")" * 50000 + " {keep;}",
        "a list": 'if header "a" [' + '"x",' * 20000 + '"x"] {discard;}',
        "a string": 'redirect "' + "x" * 100000 + '";',
        "commands": "keep;" * 100000,
        "a comment": "#" + "x" * (3 << 20),
        "a regex": 'require "regex"; if header :regex "a" "((a{0,100}){0,100}){0,100}" {discard;}',
    }
    HOSTILE_RUNS = {
        "itself": 'require "include"; include "s";',
        "redirects": "".join(f'redirect "u{n}@example.com";' for n in range(100)),
        "variables": 'require "variables"; set "a" "0123456789abcdef";'
                     + 'set "a" "${a}${a}${a}${a}";' * 30
                     + "".join(f'set "v{n}" "${{a}}";' for n in range(200)),
        "names": 'require "variables";' + "".join(f'set "v{n}" "x";' for n in range(2000)),
        "steps": 'require ["variables"]; set "s" "' + "a" * 60000 + '";'
                 + ('if string :contains "${s}" [' + '"b",' * 5000 + '"b"] {discard;}') * 40,
        "mailboxes": 'require "fileinto";' + "".join(f'fileinto "m{n}";' for n in range(1000)),
        "edits": 'require "editheader";' + 'addheader "X" "y";' * 1000,
        "versions": 'require ["editheader","fileinto"];'
                    + "".join(f'addheader "X" "y"; fileinto "{n}";' for n in range(30)),
    }

    def test_hostile_scripts_are_refused_with_their_place(self):
        for name, text in self.HOSTILE.items():
            with self.subTest(name):
                path = self.script(text)
                result = self.postern("check", path, timeout=20)
                self.assertEqual(result.returncode, 65, result.stderr)
                self.assertRegex(result.stdout.decode(), rf"\A{path}:\d+:\d+: .+\n\Z")

    def test_hostile_scripts_keep_the_mail(self):
        for name, text in self.HOSTILE_RUNS.items():
            with self.subTest(name):
                error, keep = self.actions(text)
                self.assertEqual(sorted(set(error) - {"script"}), ["error", "line"])
                self.assertEqual(keep, {"action": "keep", "implicit": True, "flags": []})

    def test_included_scripts_stand_beside_the_script(self):
        self.script('discard;', "other.sieve")
        self.assertEqual(self.actions('require "include"; include "other";'),
                         [{"action": "discard"}])

    def test_message_from_standard_input_and_trace(self):
        result = self.postern("test", "--trace", self.script('if header :contains "subject" "[dev]"'
                                                             ' {\n discard; }'), input=MESSAGE)
        self.assertEqual(result.stdout, b"discard\n")
        self.assertIn(b":1: header: true\n", result.stderr)
        self.assertIn(b":2: discard\n", result.stderr)

    def test_a_script_that_does_not_compile(self):
        result = self.postern("test", "--json", "--message", str(self.path / "m.eml"),
                              self.script("nonsense;"))
        self.assertEqual(result.returncode, 65)
        self.assertIn(b":1:1: unknown command 'nonsense'", result.stdout)


unittest.main()
