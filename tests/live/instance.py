"""What all private server instances have in common."""

import socket
import subprocess
import time
from pathlib import Path

from . import processes

PASSWORD = "pass"


class Instance:
    """A server in `folder` on `port_base`+n, with users user1..user<users>, password `pass`.

    A subclass provides `launch` (returns once the master runs and sets `master_pid`), the
    attribute `worker_name` (what an IMAP worker's process is called), and overrides what differs.
    """

    name = ""
    worker_name = ""

    def __init__(self, folder, port_base, users):
        self.folder = Path(folder)
        self.port_base = port_base
        self.users = users
        self.host = "127.0.0.1"
        self.imap_port = port_base + 143
        self.imaps_port = port_base + 993
        self.pop3_port = port_base + 110
        self.pop3s_port = port_base + 995
        self.lmtp_port = port_base + 24
        self.master_pid = None

    def launch(self):
        raise NotImplementedError

    def start(self):
        """Starts the server and returns when it answers on IMAP and LMTP."""
        self.launch()
        for port in filter(None, (self.imap_port, self.lmtp_port)):
            wait_for_greeting(self.host, port)

    def stop(self):
        """Ends the server gracefully; all its processes are gone afterwards."""
        pids = self.pids()
        processes.signal_all(pids[:1], "TERM")
        if not processes.wait_gone(pids, 10):
            processes.signal_all(pids, "KILL")
            processes.wait_gone(pids, 10)

    def wipe(self):
        """Stops the server and removes its folder."""
        self.stop()
        remove_folder(self.folder)

    def pids(self):
        """The master first, then all its descendants."""
        return processes.tree(self.master_pid) if self.master_pid else []

    def cpu_seconds(self):
        """CPU time of the whole tree so far, ended and reaped processes included."""
        return sum(processes.cpu_seconds(pid) for pid in self.pids())

    def pss_kib(self):
        """Memory of all processes, what several share counted once."""
        return sum(processes.pss_kib(pid) for pid in self.pids())

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.wipe()
            raise
        return self

    def __exit__(self, *_):
        self.wipe()


def wait_for_greeting(host, port, seconds=30):
    """Returns when a server on `port` has sent its first bytes."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with socket.create_connection((host, port), timeout=seconds) as peer:
                if peer.recv(1):
                    return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"no greeting on {host}:{port} after {seconds} s")
        time.sleep(0.05)


def remove_folder(folder):
    """rm -rf: faster than shutil on a million files."""
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def self_signed(folder):
    """A P-256 key and certificate for localhost in `folder`; returns (certificate, key)."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    if not cert.exists():
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "3650", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
            check=True, capture_output=True)
    return cert, key
