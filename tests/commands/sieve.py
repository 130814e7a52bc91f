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
