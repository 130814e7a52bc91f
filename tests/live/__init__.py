"""Private instances of mail servers for the benchmarks, the client tests and the crash tests.

Each server (postern, dovecot, cyrus) is a subclass of `Instance`: unprivileged ports on loopback,
all its files in one scratch folder, `start`, `stop`, `kill`, and the ports and process ids that a
test needs. System services are never touched.
"""

import signal
import sys

from .instance import Instance
from .cyrus import Cyrus
from .dovecot import Dovecot, DovecotCompress, DovecotHibernate, DovecotMdbox, Pigeonhole
from .postern import Postern

SERVERS = {kind.name: kind for kind in (
    Postern, Dovecot, DovecotCompress, DovecotHibernate, DovecotMdbox, Pigeonhole, Cyrus)}


# A time limit ends a test with SIGTERM: its server must end and its folder go all the same.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def make(name, folder, port_base, users):
    """The server `name`, not yet started."""
    return SERVERS[name](folder, port_base, users)


__all__ = ["Instance", "Cyrus", "Dovecot", "DovecotCompress", "DovecotHibernate", "DovecotMdbox",
           "Pigeonhole", "Postern", "SERVERS", "make"]
