"""A private Postern, made by tools/quickstart."""

import os
import subprocess
from pathlib import Path

from .instance import Instance, remove_folder

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = ROOT / "tools" / "quickstart"


class Postern(Instance):
    """Ports and paths come from `tools/quickstart env`.

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

    def wipe(self):
        self.quickstart("wipe")
        remove_folder(self.folder)

    def check(self):
        """Runs `postern check` on all mailboxes; (exit code, output). The server may be running."""
        program = os.environ.get("POSTERN_PROGRAM") or find_program()
        done = subprocess.run([program, "--config", self.env["CONFIG"], "check"],
                              text=True, capture_output=True)
        return done.returncode, done.stdout + done.stderr


def find_program():
    """The newest bin/postern among the builds."""
    found = sorted(ROOT.glob("build/*/bin/postern"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise FileNotFoundError("no build/*/bin/postern: build the programs first")
    return str(found[-1])


def run(command):
    """Runs `command`; its output, or an error that shows it."""
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-3000:]}")
    return done.stdout
