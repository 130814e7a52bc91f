#!/usr/bin/python3
"""Scripts at events of IMAP, annotations and snoozed mail, with Python's imaplib as the client. The
programs and rules for learning spam are those of conf/sieve."""

import datetime
import re
import shutil
import tempfile
import threading
import time
from pathlib import Path

import harness
from harness import make_message
from sieve_test import HOOK_OFFSET, SINK_OFFSET, Hook, ManageSieve, Sink

CONF = Path(__file__).resolve().parents[2] / "conf" / "sieve"
PATIENCE = 30  # seconds


class ImapSieve(harness.ClientTest):
    folder = None
    sink = None
    hook = None

    def setUp(self):
        super().setUp()
        if self.options.against != "postern":
            self.skipTest("the rules are Postern's")

    def learned(self):
        """(word, octets) of everything that was learned, oldest first, and forgets it."""
        found = []
        for path in sorted((self.folder / "learned").iterdir()):
            found.append((path.name.split(".")[1], path.read_bytes()))
            path.unlink()
        return found

    def put_script(self, user, name, text):
        client = ManageSieve(self.server.host, int(self.server.env["SIEVE_PORT"]), user)
        client.command(f'PUTSCRIPT "{name}" {{{len(text.encode())}+}}\r\n{text}')
        client.close()

    def set_metadata(self, client, mailbox, entry, value):
        client.ok(client.xatom("SETMETADATA", f'"{mailbox}"', f'({entry} "{value}")'))

    def test_moves_into_and_out_of_junk_teach_the_filter(self):
        user = self.new_user()
        client = self.imap(user)
        message = make_message(1)
        client.add("INBOX", message)
        client.choose()
        client.ok(client.uid("MOVE", "1", "Junk"))
        self.assertEqual(self.learned(), [(f"spam {user}", message)])
        client.choose("Junk")
        uid = client.uids()[0]
        client.ok(client.uid("COPY", str(uid), "Trash"))
        self.assertEqual(self.learned(), [])
        client.ok(client.uid("MOVE", str(uid), "INBOX"))
        self.assertEqual(self.learned(), [(f"ham {user}", message)])
        self.assertEqual(client.choose(), 1)
        self.assertEqual(client.body(client.uids()[0]), message)

    def test_many_messages_in_one_move(self):
        client = self.imap(self.new_user())
        for number in range(20):
            client.add("INBOX", make_message(number))
        client.choose()
        client.ok(client.uid("MOVE", "1:*", "Junk"))
        self.assertEqual(len(self.learned()), 20)
        self.assertEqual(client.choose("Junk"), 20)

    def test_a_script_that_the_user_has_named(self):
        user = self.new_user()
        client = self.imap(user)
        self.put_script(user, "flagged", 'require ["imapsieve", "environment", "imap4flags", '
                        '"fileinto", "copy"];\n'
                        'if allof (environment "imap.cause" "FLAG", hasflag "\\\\Flagged",\n'
                        '          environment :contains "imap.changedflags" "\\\\Flagged") {\n'
                        '  fileinto :copy "Archive"; }')
        self.set_metadata(client, "INBOX", "/shared/imapsieve/script", "flagged")
        self.assertIn("IMAPSIEVE=SIEVE://", client.ok(client.capability())[0].decode().upper())
        client.add("INBOX", make_message(2))
        client.choose()
        client.store_flags(1, "+FLAGS", "\\Seen")
        client.store_flags(1, "+FLAGS", "\\Flagged")
        client.store_flags(1, "-FLAGS", "\\Flagged")
        self.assertEqual(client.choose("Archive"), 1)
        self.assertEqual(client.flags(1), {"\\Seen", "\\Flagged"})
        answer = client.ok(client.xatom("GETMETADATA", "INBOX", "/shared/imapsieve/script"))
        self.assertIsNotNone(answer)

    def test_notifications_by_mail_and_web_with_a_copy(self):
        user = self.new_user()
        client = self.imap(user)
        base = f"http://127.0.0.1:{self.hook.server_port}"
        self.put_script(user, "tell", 'require ["imapsieve", "enotify", "fcc", "imap4flags"];\n'
                        'notify :message "flagged" :fcc "Archive" :flags "\\\\Seen" '
                        f'"mailto:{user}@phone.example";\n'
                        f'notify :message "by web" :fcc "Archive" "{base}/mail/{user}";\n'
                        f'notify :message "not allowed" "{base}/admin/{user}";\n'
                        f'notify :message "lost" :fcc "Missing" "mailto:{user}@other.example";')
        client.add("INBOX", make_message(5))
        self.set_metadata(client, "INBOX", "/shared/imapsieve/script", "tell")
        client.choose()
        client.store_flags(1, "+FLAGS", "\\Flagged")
        (sender, octets), = self.sink.to(f"{user}@phone.example")
        self.assertTrue(sender.startswith(user), sender)
        self.assertIn(b"Subject: flagged\r\n", octets)
        self.assertEqual(len(self.sink.to(f"{user}@other.example")), 1)
        posts = [(path, post) for path, post in self.hook.posts if post["user"] == user]
        self.assertEqual([(path, post["message"]) for path, post in posts],
                         [(f"/mail/{user}", "by web")])
        self.assertEqual(client.flags(1), {"\\Flagged"})  # the message itself stays as it was
        self.assertEqual(client.choose("Archive"), 1)
        self.assertEqual(client.flags(1), {"\\Seen"})
        self.assertEqual(client.body(client.uids()[0]), octets)

    def test_snoozed_mail_comes_back_at_its_time(self):
        user = self.new_user()
        watcher = self.imap(user)
        client = self.imap(user)
        watcher.choose()
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        soon = now + datetime.timedelta(seconds=8)
        later = soon + datetime.timedelta(hours=2)
        script = ('require ["snooze", "imap4flags", "variables"];\n'
                  'if header :contains "subject" "soon" {\n'
                  f'  snooze :tzid "UTC" :addflags "\\\\Flagged" "{soon:%H:%M:%S}"; }}\n'
                  f'else {{ snooze :tzid "UTC" :mailbox "Archive" "{later:%H:%M:%S}"; }}')
        sieve = ManageSieve(self.server.host, int(self.server.env["SIEVE_PORT"]), user)
        sieve.activate(script)
        sieve.close()
        self.deliver(user, make_message(3, subject="soon"))
        self.deliver(user, make_message(4, subject="later"))
        self.assertEqual(client.choose("Snoozed"), 2)
        self.assertEqual(client.choose(), 0)
        deadline = time.monotonic() + PATIENCE
        while client.choose() == 0:
            self.assertLess(time.monotonic(), deadline)
            self.postern("snooze", "wake")
            time.sleep(0.2)
        self.assertGreaterEqual(datetime.datetime.now(datetime.timezone.utc), soon)
        self.assertEqual(client.flags(1), {"\\Flagged"})
        watcher.ok(watcher.noop())
        self.assertEqual(len(watcher.uids()), 1)  # an open session is told
        self.assertIn(user, self.postern("snooze", "list"))
        self.postern("snooze", "wake", "--all")
        self.assertEqual(client.choose("Archive"), 1)
        self.assertEqual(client.choose("Snoozed"), 0)
        self.postern("snooze", "wake", "--all")
        self.assertEqual(client.choose("Archive"), 1)
        self.assertNotIn(user, self.postern("snooze", "list"))

    def postern(self, *words):
        program = Path(self.server.env["BIN"]) / "postern"
        return harness.run([program, "--config", self.server.env["CONFIG"], *words]).decode()


def prepare(folder):
    """The examples of conf/sieve in `folder`, with a filter that writes files."""
    folder.chmod(0o755)
    (folder / "learned").mkdir()
    (folder / "learned").chmod(0o777)
    for name in ("learn-spam.sieve", "learn-ham.sieve"):
        shutil.copy(CONF / name, folder / name)
        (folder / name).chmod(0o644)
    (folder / "programs").mkdir()
    program = folder / "programs" / "learn"
    program.write_text(f'#!/bin/sh\numask 0\ncat > "{folder}/learned/$(date +%s%N).$1 $2"\n')
    program.chmod(0o755)
    settings = [f"sieve.program_directory={folder}/programs"]
    text = (CONF / "postern.toml").read_text()
    for rule, body in re.findall(r"\[imapsieve\.(\w+)\]\n(.*?)(?:\n\n|\Z)", text, re.S):
        for key, value in re.findall(r"(\w+) = (.*)", body):
            value = value.replace("/etc/postern/sieve", str(folder))
            value = re.sub(r'[\["\] ]', "", value).replace("\\\\", "\\")
            settings.append(f"imapsieve.{rule}.{key}={value}")
    return settings


def listen():
    """An MTA and a web service for notifications; returns the settings that name them."""
    port = harness.arguments()[0].port_base + SINK_OFFSET
    ImapSieve.sink = Sink(port)
    ImapSieve.hook = Hook(port + HOOK_OFFSET - SINK_OFFSET)
    for server in (ImapSieve.sink, ImapSieve.hook):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    return [f"sieve.submission=smtp://127.0.0.1:{port}",
            f"sieve.webhooks=http://127.0.0.1:{ImapSieve.hook.server_port}/mail/"]


def main():
    with tempfile.TemporaryDirectory(prefix="postern-imapsieve-") as name:
        ImapSieve.folder = Path(name)
        ImapSieve.settings = prepare(ImapSieve.folder) + listen()
        harness.main()


if __name__ == "__main__":
    main()
