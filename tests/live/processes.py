"""Process trees, their CPU time and memory, from /proc."""

import os
import signal
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def stat_fields(pid):
    """The fields of /proc/pid/stat behind the name (the first is the state), or None."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text[text.rindex(")") + 2:].split()


def alive(pid):
    fields = stat_fields(pid)
    return fields is not None and fields[0] != "Z"


def parent_of(pid):
    """The parent's process id; 0 when the process has gone."""
    fields = stat_fields(pid)
    return int(fields[1]) if fields else 0


def tree(root):
    """`root` and all its living descendants, parents before children."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := stat_fields(entry)):
            children.setdefault(int(fields[1]), []).append(int(entry))
    found = [root] if alive(root) else []
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def cpu_seconds(pid):
    """User and system time of `pid` and of the children that it has reaped."""
    fields = stat_fields(pid)
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS if fields else 0.0


def name_of(pid):
    """The program's name as ps shows it in COMMAND, without folder: "imapd"."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return os.path.basename(words[0].decode(errors="replace").split(" ")[0].rstrip(":"))


def pss_kib(pid):
    """Proportional set size in KiB; 0 when the process has gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def descriptors(pid):
    """How many descriptors are open; 0 when the process has gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def signal_all(pids, name):
    for pid in pids:
        try:
            os.kill(pid, getattr(signal, "SIG" + name))
        except ProcessLookupError:
            pass


def wait_gone(pids, seconds):
    """True when every one of `pids` has ended within `seconds`."""
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def connected(port):
    """Whether any process on this machine has an open TCP connection at its own `port`."""
    rows = [row.split() for name in ("tcp", "tcp6")
            for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    open_states = ("01", "08")  # established, and those whose client alone has closed
    return any(row[1].endswith(f":{port:04X}") and row[3] in open_states for row in rows)


def wait_unconnected(port, seconds):
    """True when `port` has no open connection within `seconds`."""
    deadline = time.monotonic() + seconds
    while connected(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
