"""A private Postern, made by tools/quickstart."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

from .instance import Instance, remove_folder

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = ROOT / "tools" / "quickstart"

# What a process of ours says when it meets a bug of ours. It goes to stderr, which is the log here.
BUG = re.compile(r"Sanitizer:|: runtime error: |: Assertion '|event=process\.abort")
SANITIZED = os.environ.get("POSTERN_PRESET") in ("asan", "tsan")
os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
os.environ.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=1:strict_string_checks=1"
                      ":verify_asan_link_order=0")  # faketime is loaded first
# An exchange that the client breaks off leaves 20 octets in Cyrus SASL's LOGIN.
os.environ.setdefault("LSAN_OPTIONS", f"suppressions={ROOT}/tests/live/leaks_of_others.txt")


class Postern(Instance):
    """Ports and paths come from `tools/quickstart env`; POSTERN_PRESET chooses the build.

    `settings` are configuration options ("key=value") for --set; they may be changed until start.
    """

    name = "postern"
    worker_name = "imapd"

    def __init__(self, folder, port_base, users):
        super().__init__(folder, port_base, users)
        self.settings = []
        self.env = {}

    def launch(self):
        command = [str(QUICKSTART), "--dir", str(self.folder), "--port-base", str(self.port_base),
                   "--users", str(self.users), "--no-demo"]
        for setting in self.settings:
            command += ["--set", setting]
        run(command)
        self.env = dict(line.split("=", 1)
                        for line in self.quickstart("env").splitlines() if "=" in line)
        self.host = self.env.get("HOST", self.host)
        for port in ("imap", "imaps", "pop3", "pop3s", "lmtp"):
            value = self.env.get(f"{port.upper()}_PORT")
            setattr(self, f"{port}_port", int(value) if value else None)
        self.master_pid = int(self.env["MASTER_PID"])

    def quickstart(self, action):
        """Runs `tools/quickstart ACTION` on this instance; returns what it prints."""
        return run([str(QUICKSTART), action, "--dir", str(self.folder)])

    def stop(self):
        self.quickstart("stop")

    def kill(self):
        """SIGKILL to all processes."""
        self.quickstart("kill")

    def bugs(self):
        """The log from the first line on in which a process reports a bug; "" if none does."""
        log = Path(self.env["LOG"]).read_text(errors="replace") if self.env else ""
        found = BUG.search(log)
        return log[log.rfind("\n", 0, found.start()) + 1:][:10000] if found else ""

    def __exit__(self, kind, *rest):
        if SANITIZED and kind is None:
            self.stop()  # leaks are reported at the end
        bugs = self.bugs()
        super().__exit__(kind, *rest)
        if bugs and kind is None:
            raise RuntimeError(f"a process of the server met a bug:\n{bugs}")

    def wipe(self):
        # A folder of ours without an instance is refused, and removed all the same.
        subprocess.run([str(QUICKSTART), "wipe", "--dir", str(self.folder)], capture_output=True)
        remove_folder(self.folder)

    def check(self):
        """Runs `postern check` on all mailboxes; (exit code, output). The server may be running."""
        done = subprocess.run([*self.command("postern"), "check"], text=True, capture_output=True)
        return done.returncode, done.stdout + done.stderr

    def command(self, program):
        """The words that start an administrator's program on this instance."""
        return [str(Path(self.env["BIN"]) / program), "--config", self.env["CONFIG"]]

    def set_script(self, text):
        """Makes `text` the script of every user; None deactivates it."""
        for number in range(1, self.users + 1):
            user = f"user{number}"
            if text is None:
                run([*self.command("postern"), "sieve", "activate", user])
            else:
                run([*self.command("postern"), "sieve", "put", user, "main", "--activate"], text)

    def mailbox_path(self, mailbox):
        """The directory of a mailbox."""
        return Path(run([*self.command("postern"), "mailbox", "path", mailbox]).split()[-1])

    def who(self):
        """The open sessions, a line each."""
        return run([*self.command("postern"), "who"]).splitlines()[1:]

    def parked_sessions(self, user, seconds=30):
        """{service: facts} of the user's sessions, once all of them are parked."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            lines = run([*self.command("postern"), "who", user, "--json"]).splitlines()
            found = {one["service"]: one for one in map(json.loads, lines)}
            if all(one["state"] == "parked" for one in found.values()):
                return found
            time.sleep(0.02)
        raise RuntimeError(f"sessions of {user} are not parked: {found}")


def run(command, text=None):
    """Runs `command` with `text` as its input; its output, or an error that shows it."""
    done = subprocess.run(command, text=True, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-3000:]}")
    return done.stdout
