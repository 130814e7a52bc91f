#!/usr/bin/env python3
"""`postern` and `posternadm` as an administrator uses them, on a private instance.
usage: administration.py [--port-base N] [TEST …]"""
import argparse
import imaplib
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import live  # noqa: E402

PATIENCE = 30  # seconds for anything that is awaited
PROMPT = r"127\.0\.0\.1:\d+> "
MAIL = b"From: a@example.org\r\nSubject: one\r\n\r\ntext\r\n"


class Terminal:
    """A program on a pseudo-terminal, as somebody at a keyboard uses it."""

    def __init__(self, command, environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(command[0], command, environment)
        self.seen = ""

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def read(self, deadline):
        """What it writes next, b"" once it has closed the terminal; None if it keeps silent."""
        if not select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]:
            return None
        try:
            return os.read(self.fd, 65536)
        except OSError:
            return b""

    def expect(self, pattern):
        """Waits for `pattern` in what has come since the last match; gives what stood before."""
        deadline = time.monotonic() + PATIENCE
        while not (match := re.search(pattern, self.seen)):
            data = self.read(deadline)
            if not data:
                raise AssertionError(f"no {pattern!r} in {self.seen!r}")
            self.seen += data.decode(errors="replace")
        before, self.seen = self.seen[:match.start()], self.seen[match.end():]
        return before

    def status(self):
        """Waits for the program's end; its exit status, negative if it had to be killed."""
        deadline = time.monotonic() + PATIENCE
        while data := self.read(deadline):
            pass
        if data is None:
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Administration(unittest.TestCase):
    server = None

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="postern-adm."))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def postern(self, *words, status=0, feed=None):
        done = subprocess.run([f"{self.server.env['BIN']}/postern", "--config",
                               self.server.env["CONFIG"], *words], input=feed, text=True,
                              capture_output=True)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def adm_command(self, *words):
        secret = self.home / "pw"
        secret.write_text("pass\n")
        return [f"{self.server.env['BIN']}/posternadm", "--port", str(self.server.imap_port),
                "--user", "admin", "--password-file", str(secret), *words]

    def adm(self, *words, status=0):
        done = subprocess.run(self.adm_command(*words), text=True, capture_output=True)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def shell(self, command=None):
        return Terminal(command or self.adm_command(),
                        {"HOME": str(self.home), "TERM": "xterm", "PATH": os.environ["PATH"]})

    def imap(self, user):
        client = imaplib.IMAP4(self.server.host, self.server.imap_port)
        client.login(user, "pass")
        self.addCleanup(client.sock.close)
        return client

    def ok(self, answer):
        self.assertEqual(answer[0], "OK", answer)
        return answer[1]

    def spool(self, mailbox):
        return pathlib.Path(self.postern("mailbox", "path", mailbox).strip())

    # ---- the list

    def test_a_lost_list_comes_back_without_what_was_deleted(self):
        anna = self.imap("user1")
        for name in ("Keep", "Gone"):
            self.ok(anna.create(name))
            self.ok(anna.append(name, None, None, MAIL))
        self.ok(anna.setacl("Keep", "user2", "lrs"))
        self.ok(anna.subscribe("Keep"))
        self.postern("quota", "set", "user/user1", "storage=1MiB", "message=100")
        self.postern("quota", "set", "user/usr1", "message=100", status=66)
        gone = self.spool("user/user1/Gone")
        self.ok(anna.delete("Gone"))
        uidvalidity = self.ok(anna.status("Keep", "(UIDVALIDITY)"))
        before = set(anna.lsub()[1])
        self.assertIn(" 0 deleted ones removed, 0 failed", self.postern("expire"))
        self.assertTrue(gone.exists())
        exports = [json.loads(path.read_text())
                   for path in pathlib.Path(self.server.env["SPOOL"]).glob("u/*/*/user.json")]
        mine = next(one for one in exports if one["user"] == "user1")
        self.assertIn("Keep", mine["subscriptions"])
        self.assertEqual(mine["quota"], [{"root": "user/user1",
                                          "limits": {"storage": 1 << 20, "message": 100}}])
        self.server.stop()
        meta = pathlib.Path(self.server.folder) / "meta"
        meta.rename(meta.with_name("meta.lost"))
        meta.mkdir(mode=0o700)
        shutil.chown(meta, *self.owner_of(meta.with_name("meta.lost")))
        told = self.postern("rebuild-list")
        self.assertIn("user/user1/Keep\n", told)
        self.assertNotIn("Gone", told)
        self.assertRegex(told, r" 1 were deleted, 0 headers unreadable")
        self.assertRegex(told, r"[1-9]\d* users restored, 0 exports unreadable")
        self.server.start()
        anna = self.imap("user1")
        self.assertEqual(self.ok(anna.status("Keep", "(UIDVALIDITY)")), uidvalidity)
        self.assertEqual(set(anna.lsub()[1]), before)
        self.assertIn(b"user2 lrs", self.ok(anna.getacl("Keep"))[0])
        self.assertEqual(anna.select("Gone")[0], "NO")
        self.assertEqual(self.ok(anna.select("Keep")), [b"1"])
        self.assertEqual(self.ok(anna.fetch("1", "(BODY[])"))[0][1], MAIL)
        self.assertIn("MESSAGE 1 100", str(self.ok(anna.getquota("INBOX"))))
        again = [json.loads(path.read_text())["id"]
                 for path in pathlib.Path(self.server.env["SPOOL"]).glob("u/*/*/user.json")]
        self.assertIn(mine["id"], again)
        self.assertIn("0 damages", self.postern("check", "--full"))

    @staticmethod
    def owner_of(path):
        found = path.stat()
        return found.st_uid, found.st_gid

    def test_exports_are_written_when_something_changed(self):
        self.postern("expire", "--all")
        self.assertIn(" 0 exports written", self.postern("expire"))
        self.ok(self.imap("user2").subscribe("Elsewhere"))
        self.assertIn(" 1 exports written", self.postern("expire"))

    # ---- users

    def test_a_user_comes_changes_password_is_kicked_and_goes(self):
        self.postern("user", "add", "dave", feed="first\n")
        self.assertIn("dave\n", self.postern("user", "list"))
        self.postern("user", "add", "dave", status=73, feed="other\n")
        dave = imaplib.IMAP4(self.server.host, self.server.imap_port)
        dave.login("dave", "first")
        self.addCleanup(dave.sock.close)
        self.ok(dave.select("INBOX"))
        self.assertRegex(self.postern("who", "dave"), r"imap +dave +127\.0\.0\.1:\d+ ")
        one = json.loads(self.postern("who", "dave", "--json"))
        self.assertEqual(one["user"], "dave")
        self.postern("user", "passwd", "dave", feed="second\n")
        with self.assertRaises(imaplib.IMAP4.error):  # sessions of the old password end
            dave.noop()
            dave.noop()
        with self.assertRaises(imaplib.IMAP4.error):
            imaplib.IMAP4(self.server.host, self.server.imap_port).login("dave", "first")
        again = imaplib.IMAP4(self.server.host, self.server.imap_port)
        again.login("dave", "second")
        self.addCleanup(again.sock.close)
        self.assertEqual(self.postern("kick", "dave"), "1 session ended\n")
        self.assertEqual(self.postern("kick", "nosuch"), "nosuch has no session\n")
        with self.assertRaises(imaplib.IMAP4.error):
            again.noop()
            again.noop()
        self.postern("user", "del", "dave", "--mailboxes")
        self.assertNotIn("dave", self.postern("user", "list") + self.postern("mailbox", "list"))
        self.postern("user", "passwd", "dave", status=67, feed="third\n")

    # ---- posternadm

    def test_every_command_and_short_name_of_the_shell(self):
        self.adm("createmailbox", "user/carla")
        self.adm("cm", "--specialuse", "Sent", "user/carla/Sent")
        self.adm("create", "user/carla/Box")
        for word in ("listmailbox", "list", "lm"):
            self.assertIn("user/carla/Box", self.adm(word, "user/carla*"))
        self.adm("renamemailbox", "user/carla/Box", "user/carla/A")
        self.adm("rename", "user/carla/A", "user/carla/B")
        self.adm("renm", "user/carla/B", "user/carla/C")
        self.adm("setaclmailbox", "user/carla/C", "user1", "lrs")
        self.adm("setacl", "user/carla/C", "user2", "read", "anyone", "+p")
        self.adm("sam", "user/carla/C", "user1", "+w")
        for word in ("listaclmailbox", "listacl", "lam"):
            told = self.adm(word, "user/carla/C")
            self.assertRegex(told, r"user1\s+lrsw")
            self.assertRegex(told, r"anyone\s+p")
        self.adm("deleteaclmailbox", "user/carla/C", "user1")
        self.adm("deleteacl", "user/carla/C", "user2")
        self.adm("dam", "user/carla/C", "anyone")
        self.assertNotRegex(self.adm("lam", "user/carla/C"), r"user1|user2|anyone")
        self.adm("setquota", "user/carla", "STORAGE", "10M", "MESSAGE", "7")
        for word in ("listquota", "lq"):
            self.assertIn("MESSAGE 0/7", self.adm(word, "user/carla"))
        for word in ("listquotaroot", "lqr", "lqm"):
            self.assertIn("STORAGE 0/10240", self.adm(word, "user/carla/C"))
        self.adm("sq", "user/carla", "none")
        self.adm("lq", "user/carla", status=66)
        self.adm("dm", "user/carla/C")
        self.adm("delete", "user/carla/Sent")
        self.adm("deletemailbox", "user/carla")
        self.adm("lam", "user/carla", status=66)
        self.assertIn("usage", self.adm("cm", status=64))
        self.assertIn("no such command", self.adm("frobnicate", status=64))

    def test_the_shell_edits_lines_and_remembers_them(self):
        shell = self.shell()
        shell.expect(PROMPT)
        shell.type("help\n")
        told = shell.expect(PROMPT)
        for word in ("createmailbox", "setquota", "listquotaroot", "exit"):
            self.assertIn(word, told)
        shell.type("help sam\n")
        self.assertIn("setaclmailbox", shell.expect(PROMPT))
        shell.type("cm news/Xtalk\x1b[D\x1b[D\x1b[D\x1b[D\x04\n")  # left, left, …, delete: talk -> alk
        shell.expect(PROMPT)
        shell.type("cm 'two words'; lm two*\n")
        self.assertIn("two words", shell.expect(PROMPT))
        shell.type("listq\t\t")  # completion: two commands begin so
        shell.expect("listquotaroot")
        shell.expect(PROMPT)
        shell.type("\x15\x1b[A\x1b[A\n")  # erase the line; up, up: the cm of news again
        self.assertIn("exists", shell.expect(PROMPT))
        shell.type("lm news/*\n")
        self.assertIn("news/Xalk", shell.expect(PROMPT))
        shell.type("dm news/nowhere\n")
        self.assertIn("no such mailbox", shell.expect(PROMPT))
        shell.type("exit\n")
        self.assertEqual(shell.status(), 0)
        history = (self.home / ".posternadm_history").read_text().replace("\\040", " ")
        self.assertIn("cm news/Xalk\n", history)
        again = self.shell()
        again.expect(PROMPT)
        again.type("\x1b[A\x1b[A\x1b[A\n")  # exit, dm, lm news/*
        self.assertIn("news/Xalk", again.expect(PROMPT))
        again.type("\x04")
        self.assertEqual(again.status(), 0)

    def test_the_shell_has_the_keys_as_soon_as_its_prompt_stands(self):
        """A ^D that came before libedit had the terminal was lost: the shell waited for ever."""
        for _ in range(30):
            shell = self.shell()
            shell.expect(PROMPT)
            mode = termios.tcgetattr(shell.fd)[3]
            shell.type("\x04")
            self.assertFalse(mode & termios.ICANON)
            self.assertEqual(shell.status(), 0)

    def test_a_password_is_asked_for_and_not_shown(self):
        shell = self.shell([f"{self.server.env['BIN']}/posternadm", "--port",
                            str(self.server.imap_port), "--user", "admin"])
        shell.expect("(?i)password[^:]*: ?")
        shell.type("pass\n")
        self.assertNotIn("pass\r", shell.expect("> "))
        shell.type("exit 3\n")
        self.assertEqual(shell.status(), 3)

    # ---- what an administrator's own account shows, and the log

    def test_an_administrators_own_mailboxes_are_subscribed_as_they_are_listed(self):
        admin = self.imap("admin")
        listed = self.ok(admin.list('""', "*"))
        for line in self.ok(admin.lsub()):
            name = line.split(b' "/" ')[1]
            self.assertTrue(any(one.endswith(b" " + name) for one in listed), (name, listed))

    def test_the_log_follows_a_message_and_every_change(self):
        anna = self.imap("user2")
        self.ok(anna.create("Logged"))
        self.ok(anna.append("Logged", None, None, b"Message-ID: <log.1@example.org>\r\n" + MAIL))
        self.ok(anna.select("Logged"))
        self.ok(anna.create("Other"))
        self.ok(anna.copy("1", "Other"))
        self.ok(anna.store("1", "+FLAGS", "(\\Deleted)"))
        self.ok(anna.expunge())
        self.ok(anna.close())
        self.ok(anna.setacl("Other", "user1", "lr"))
        self.ok(anna.rename("Other", "Third"))
        self.ok(anna.delete("Third"))
        self.adm("sq", "user/user2", "MESSAGE", "50")
        anna.logout()
        for pattern in (
                r"event=login\.ok conn=\d+ service=imap peer=\S+ .*mechanism=\S+ user=user2",
                r"event=mailbox\.change .*user=user2 how=create mailbox=user/user2/Logged id=\w{32}",
                r"event=mailbox\.append .*mailbox=user/user2/Logged uidvalidity=\d+ uid=1 "
                r"guid=\w{64} message_id=<log\.1@example\.org>",
                r"event=mailbox\.copy .*mailbox=user/user2/Logged uidvalidity=\d+ uids=1 "
                r"destination=user/user2/Other destination_uidvalidity=\d+ destination_uids=1",
                r"event=mailbox\.expunge .*mailbox=user/user2/Logged uidvalidity=\d+ uids=1 modseq=",
                r"event=mailbox\.acl .*mailbox=user/user2/Other identifier=user1 rights=lr",
                r"event=mailbox\.rename .*from=user/user2/Other .*mailbox=user/user2/Third",
                r"event=mailbox\.change .*how=delete mailbox=user/user2/Third",
                r"event=quota\.set .*mailbox=user/user2 limits=MESSAGE:50",
                r"event=imap\.logout .*user=user2 reason=logout"):
            self.await_in_log(pattern)

    def await_in_log(self, pattern):
        path = pathlib.Path(self.server.env["LOG"])
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, path.read_text(errors="replace")):
            if time.monotonic() > deadline:
                self.fail(f"not in the log: {pattern}")
            time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-base", type=int, default=14900)
    options, rest = parser.parse_known_args()
    folder = tempfile.mkdtemp(prefix="postern-live.", dir="/var/tmp")
    pathlib.Path(folder).chmod(0o755)
    Administration.server = live.make("postern", folder, options.port_base, 2)
    with Administration.server:
        program = unittest.main(argv=sys.argv[:1] + rest, exit=False, verbosity=2)
    sys.exit(0 if program.result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
