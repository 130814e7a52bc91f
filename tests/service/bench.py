"""Figures of the process model with the echo daemon: wakes a second, latency, parked memory.

usage: bench.py BIN [--parked N]
"""
import argparse
import re
import selectors
import statistics
import sys
import time
from pathlib import Path

import runtime_test
from runtime_test import Client, Server


def memory(pid):
    """Proportional set size of a process in octets."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return 1024 * int(re.search(r"^Pss: *(\d+)", text, re.M)[1])


def all_memory(server):
    return {pid: memory(pid) for name in ("echod", "porter") for pid in server.processes(name)}


def measure_parked(server, count):
    """Octets of all processes for each parked session."""
    before = all_memory(server)
    clients = []
    for _ in range(count):
        clients.append(Client())
        clients[-1].send("LOGIN anna\r\nWATCH 9\r\n")
    for client in clients:
        client.line(), client.line()
    after = all_memory(server)
    grown = sum(after.values()) - sum(before.values())
    print(f"{count} parked sessions: {grown / count:.0f} octets each in all processes")
    return clients


def measure_wakes(clients, seconds=3.0):
    """Each client asks again as soon as it is answered."""
    selector = selectors.DefaultSelector()
    asked, times = {}, []
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
        asked[client] = time.perf_counter()
        client.socket.sendall(b"ECHO x\r\n")
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        for key, _ in selector.select(1):
            key.data.socket.recv(100)
            times.append(time.perf_counter() - asked[key.data])
            asked[key.data] = time.perf_counter()
            key.data.socket.sendall(b"ECHO x\r\n")
    times.sort()
    print(f"{len(clients)} active: {len(times) / seconds:.0f} wakes a second, "
          f"p50 {1e6 * statistics.median(times):.0f} us, "
          f"p99 {1e6 * times[int(len(times) * 0.99)]:.0f} us")


def measure_news(watchers, actor):
    began = time.perf_counter()
    actor.ask("BUMP 9")
    for client in watchers:
        client.line()
    print(f"{len(watchers)} parked sessions told of a change in "
          f"{1000 * (time.perf_counter() - began):.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bin", type=Path)
    parser.add_argument("--parked", type=int, default=5000)
    options = parser.parse_args()
    runtime_test.BIN = options.bin.resolve()
    server = Server("service.echo.min_spare=8", "service.echo.max_per_user=100000",
                    "log.level=error", "service.echo.max_active_per_user=1000")
    try:
        clients = measure_parked(server, options.parked)
        measure_news(clients, Client())
        for count in (1, 16, 64):
            measure_wakes([Client() for _ in range(count)])
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
