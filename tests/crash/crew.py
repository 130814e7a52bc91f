"""The clients of a crash test: made together, started and joined together."""

import contextlib
import threading

from harness import ImapClient
from model import Box
from worker import Worker


def make_workers(server, clients, users, violations, stop):
    """Two shared mailboxes a user; the clients share out the users."""
    shared = []
    for number in range(1, users + 1):
        user = f"user{number}"
        with ImapClient(server, user) as imap:
            imap.ok(imap.create("Common"))
        shared.append((user, [Box(user, "INBOX"), Box(user, "Common")]))
    return [Worker(number, server, *shared[number % users], violations, stop)
            for number in range(clients)]


@contextlib.contextmanager
def running(workers, stop):
    """Lets all `workers` work inside the with block; afterwards all have stopped."""
    stop.clear()
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
