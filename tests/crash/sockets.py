"""Whose connections a process holds, from /proc."""

import os
import re
import socket
from pathlib import Path

from live import processes

ESTABLISHED = "01"


def inodes_of(pid):
    """Inode numbers of the sockets that `pid` has open."""
    found = set()
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            try:
                match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(entry.path))
            except OSError:
                continue
            if match:
                found.add(int(match.group(1)))
    except OSError:
        pass
    return found


def connections():
    """{inode: (local port, remote port)} of all TCP connections of this machine."""
    found = {}
    for name in ("tcp", "tcp6"):
        path = Path("/proc/net") / name
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            fields = line.split()
            if fields[3] == ESTABLISHED:
                local, remote = (int(fields[i].rsplit(":", 1)[1], 16) for i in (1, 2))
                found[int(fields[9])] = (local, remote)
    return found


def client_ports(pid, service_ports):
    """Ports of the clients whose connections to one of `service_ports` the process holds."""
    every, held = connections(), inodes_of(pid)
    return {every[inode][1] for inode in held & every.keys() if every[inode][0] in service_ports}


def holds(server, program):
    """Client connections that all processes named `program` hold, TLS ones as transportd has them."""
    every = connections()
    ports = {port for port in (server.imap_port, server.imaps_port, server.pop3_port,
                               server.pop3s_port, server.lmtp_port) if port}
    held = set()
    for pid in server.pids():
        if processes.name_of(pid) == program:
            held |= inodes_of(pid)
    return {inode for inode in held & every.keys() if every[inode][0] in ports}


def port_of(connection):
    """The client's own port."""
    return connection.getsockname()[1] if isinstance(connection, socket.socket) else None
