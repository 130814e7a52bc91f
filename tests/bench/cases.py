"""What is measured: each case drives one server for one round and returns {metric: value}."""

import imaplib
import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass, field

from live import processes
from live.instance import PASSWORD

THUNDERBIRD = ("(UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date "
               "Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type "
               "Reply-To)])")
ITEMS = {"uid_flags": "(UID FLAGS)", "envelope": "(ENVELOPE)", "bodystructure": "(BODYSTRUCTURE)",
         "headers": THUNDERBIRD}
USERS = 20  # every server has user1 to user20


@dataclass
class Size:
    """How much work a round does."""

    lmtp: int = 3000        # messages
    twenty: int = 300       # messages to twenty recipients
    big: int = 100_000      # messages in the large mailbox
    huge: int = 1_000_000   # messages in the huge one
    seconds: int = 8        # of session churn
    stores: int = 5000
    changes: int = 100      # seen by an idling session
    pop3: int = 1000        # messages
    names: int = 5000       # mailboxes of a user, and
    statused: int = 500     # such whose STATUS is listed
    appends: int = 2000     # single APPENDs
    body: int = 1 << 20     # octets of a large message
    idlers: int = 300       # idle clients whose memory is taken, and who hear of new mail
    settle: int = 5         # seconds until that


QUICK = Size(lmtp=400, twenty=40, big=10_000, huge=50_000, seconds=2, stores=1000, changes=15,
             pop3=500, names=1000, statused=100, appends=400, idlers=50)


@dataclass
class Subject:
    """A running server under measurement and what has been done to it so far."""

    server: object
    load_program: str
    size: Size
    offset: int = 0  # keeps Message-IDs of all deliveries apart
    made: set = field(default_factory=set)

    def command(self, case, port=None, **options):
        """The command line of a load generator."""
        command = [self.load_program, case, "--host", self.server.host,
                   "--port", str(port or self.server.imap_port)]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        return command

    def load(self, case, port=None, **options):
        """Runs one load generator; returns its JSON result."""
        command = self.command(case, port, **options)
        done = subprocess.run(command, text=True, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"{self.server.name}: {' '.join(command)}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def mailbox(self, name, messages):
        """Makes mailbox `name` with `messages` unless an earlier round did."""
        if name not in self.made:
            self.load("fill", mailbox=name, messages=messages)
            self.made.add(name)
        return name


def deliver(subject, messages, **options):
    """An LMTP run; its result with `cpu_ms`, the server's CPU time for one message."""
    before = subject.server.cpu_seconds()
    result = subject.load("lmtp", port=subject.server.lmtp_port, messages=messages,
                          offset=subject.offset, **options)
    subject.offset += messages
    result["cpu_ms"] = (subject.server.cpu_seconds() - before) * 1000 / messages
    return result


def lmtp(subject, _round):
    metrics = {}
    for octets in (8192, 20480):
        for connections in (1, 4, 16):
            messages = subject.size.lmtp // (3 if connections == 1 else 1)
            result = deliver(subject, messages, size=octets, connections=connections, users=16)
            metrics[f"lmtp_{octets // 1024}k_{connections}"] = result["messages_per_s"]
            if connections != 1:
                metrics[f"lmtp_cpu_{octets // 1024}k_{connections}"] = result["cpu_ms"]
    return metrics


def rules(count):
    """A script of `count` rules of the usual kinds, none of which fits the messages."""
    kinds = ('header :contains "subject" "[list{0}]"', 'address :is "from" "person{0}@example.com"',
             'header :is "list-id" "<list{0}.example.com>"', 'header :matches "subject" "Re: *{0}*!"',
             'address :domain ["to", "cc"] ["d{0}.example.com", "e{0}.example.com"]')
    tests = (kinds[n % len(kinds)].format(n) for n in range(count))
    return 'require ["fileinto", "imap4flags"];\n' + "".join(
        f'if {test} {{ addflag "\\\\Seen"; fileinto "Junk"; stop; }}\n' for test in tests)


def sieve(subject, number):
    """Deliveries with a script of 200 rules and without, in turns."""
    if not hasattr(subject.server, "set_script"):
        return {}
    metrics = {}
    scripts = [("none", None), ("200", rules(200))]
    for name, text in scripts if number % 2 == 0 else reversed(scripts):
        subject.server.set_script(text)
        deliver(subject, 200, size=8192, connections=4, users=16)  # what compiles has compiled
        for connections in (4, 16):
            result = deliver(subject, subject.size.lmtp, size=8192, connections=connections,
                             users=16)
            metrics[f"sieve_{name}_{connections}"] = result["messages_per_s"]
            metrics[f"sieve_cpu_{name}_{connections}"] = result["cpu_ms"]
    return metrics


def lmtp_twenty(subject, _round):
    result = deliver(subject, subject.size.twenty, size=8192, connections=4, recipients=20)
    return {"lmtp_twenty": result["deliveries_per_s"]}


def fetch(subject, number):
    """Each round reads a mailbox that no session has opened before."""
    big = subject.mailbox(f"big{number}", subject.size.big)
    metrics = {}
    for name, item in ITEMS.items():
        result = subject.load("fetch", mailbox=big, item=item, repeat=4,
                              room=subject.size.big * 1024)
        metrics[f"fetch_{name}_first"] = result["first_per_s"]
        metrics[f"fetch_{name}"] = result["repeated_per_s"]
    return metrics


def select(subject, _round):
    metrics = {}
    for key, name, messages, count in (("small", "small", 100, 40),
                                       ("big", "big0", subject.size.big, 20),
                                       ("huge", "huge", subject.size.huge, 8)):
        subject.mailbox(name, messages)
        result = subject.load("select", mailbox=name, messages=messages, count=count)
        metrics[f"select_{key}"] = result["p50_ms"]
    return metrics


def sessions(subject, _round):
    result = subject.load("sessions", clients=16, seconds=subject.size.seconds, users=16)
    return {"sessions": result["sessions_per_s"]}


def changes(subject, number):
    big = subject.mailbox("big0", subject.size.big)
    result = subject.load("changes", mailbox=big, messages=subject.size.big,
                          scratch=f"round{number}")
    return {name.removesuffix("_per_s"): value for name, value in result.items()}


def stores(subject, _round):
    subject.mailbox("small", 100)
    return {"single_stores": subject.load("stores", count=subject.size.stores)["stores_per_s"]}


def idle(subject, _round):
    subject.mailbox("small", 100)
    result = subject.load("idle", changes=subject.size.changes)
    return {"idle_p50": result["p50_ms"], "idle_p99": result["p99_ms"]}


def worker_sizes(server):
    """Pss in MB of each IMAP worker; a fork server, whose children bear its name, is none."""
    named = [pid for pid in server.pids() if processes.name_of(pid) == server.worker_name]
    parents = {processes.parent_of(pid) for pid in named}
    return [processes.pss_kib(pid) / 1024 for pid in named if pid not in parents]


def size_among_many(subject):
    """Pss in MB of the largest IMAP worker while sixteen clients are busy."""
    command = subject.command("fetch", mailbox=subject.mailbox("small", 100),
                              item="(UID FLAGS ENVELOPE)", repeat=1_000_000_000)
    clients = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(16)]
    time.sleep(2)  # all have logged in, and most have been served
    largest = max(worker_sizes(subject.server), default=None)
    for client in clients:
        client.kill()
        client.wait()
    return largest


def memory(subject, _round):
    """Pss in MB: the smallest IMAP worker when nobody is logged in; the largest while one session
    alone reads the envelopes of the big mailbox, when no other process shares the program's pages
    with it, and all processes then; the largest while many are busy."""
    server = subject.server
    big = subject.mailbox("big0", subject.size.big)
    processes.wait_unconnected(server.imap_port, 10)  # sessions of earlier cases have ended
    spare = min(worker_sizes(server), default=None)
    with imaplib.IMAP4(server.host, server.imap_port) as session:
        session.login("user1", PASSWORD)
        session.select(big)
        session.fetch("1:*", "(ENVELOPE)")
        session.noop()
        busy = max(worker_sizes(server), default=None)
        total = server.pss_kib() / 1024
    return {"pss_spare": spare, "pss_busy": busy, "pss_all": total,
            "pss_busy_16": size_among_many(subject)}


def bodies(subject, _round):
    """MiB a second of whole messages, plain and through TLS."""
    server, count = subject.server, 100
    if "bodies" not in subject.made:
        subject.load("fill", mailbox="bodies", messages=count, source="large", distinct=count,
                     size=subject.size.body)
        subject.made.add("bodies")
    common = {"mailbox": "bodies", "item": "BODY.PEEK[]", "repeat": 5}
    mib = subject.size.body / (1 << 20)
    metrics = {"bodies": subject.load("fetch", **common)["repeated_per_s"] * mib}
    if server.imaps_port:
        result = subject.load("fetch", port=server.imaps_port, tls=1, **common)
        metrics["bodies_tls"] = result["repeated_per_s"] * mib
    return metrics


class Crowd:
    """Clients in IDLE, from a load generator that holds them until the end of the with block."""

    def __init__(self, subject, port, clients, users, tls, compress=0):
        server = subject.server
        self.subject = subject
        self.process = subprocess.Popen(
            [subject.load_program, "crowd", "--host", server.host, "--port", str(port),
             "--clients", str(clients), "--users", str(users), "--tls", str(tls),
             "--compress", str(compress), "--lmtp-port", str(server.lmtp_port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.clients = self.answer()["clients"]

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the crowd's load generator ended")
        return json.loads(line)

    def announce(self, users):
        """One delivery to each of the first `users`: how soon all their sessions heard of it."""
        self.process.stdin.write(f"announce {users} {self.subject.offset}\n")
        self.process.stdin.flush()
        self.subject.offset += users
        return self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def idlers(subject, _round):
    """Memory of clients in IDLE, all the server's processes, and how soon they hear of mail."""
    server, metrics = subject.server, {}
    for suffix, port, tls in (("", server.imap_port, 0), ("_tls", server.imaps_port, 1)):
        if not port:
            continue
        before = server.pss_kib()
        with Crowd(subject, port, subject.size.idlers, USERS, tls) as crowd:
            time.sleep(subject.size.settle)  # servers that put idle sessions aside have done so
            metrics[f"pss_idler{suffix}"] = (server.pss_kib() - before) / crowd.clients
            result = crowd.announce(USERS)
        if result["announced"] < crowd.clients:
            raise RuntimeError(f"only {result['announced']} sessions heard of new mail")
        metrics[f"announce{suffix}_p50"] = result["p50_ms"]
        metrics[f"announce{suffix}_p99"] = result["p99_ms"]
    return metrics


def pop3(subject, number):
    """The median of three mailboxes: one is gone in a tenth of a second, and chance decides."""
    if not subject.server.pop3_port:
        return {}
    users = [(number * 3 + n) % USERS + 1 for n in range(3)]
    for user in users:
        deliver(subject, subject.size.pop3, size=8192, connections=4, users=1, first=user)
    os.sync()  # the deliveries' writing back is no part of it
    rates, cpu = [], subject.server.cpu_seconds()
    for user in users:
        result = subject.load("pop3", port=subject.server.pop3_port, user=f"user{user}")
        rates.append(result["messages_per_s"])
        if rates[-1] < 100:
            break  # slow enough for one to tell
    cpu = subject.server.cpu_seconds() - cpu
    return {"pop3": statistics.median(rates),
            "pop3_cpu": cpu * 1000 / (len(rates) * subject.size.pop3)}


def list_names(subject, _round):
    result = subject.load("list", names=subject.size.names, statused=subject.size.statused)
    return {f"list_{name.removesuffix('_ms')}": value for name, value in result.items()}


def singles(subject, number):
    """Each round reads messages that no session has fetched before."""
    name = f"singles{number}"
    subject.load("fill", mailbox=name, messages=1000, source=f"{name}_source")
    return {"singles": subject.load("singles", mailbox=name)["messages_per_s"]}


def appends(subject, _round):
    return {f"appends_{n}": subject.load("appends", count=subject.size.appends,
                                         connections=n)["messages_per_s"] for n in (1, 4)}


def tls_sessions(subject, _round):
    if not subject.server.imaps_port:
        return {}
    common = {"port": subject.server.imaps_port, "tls": 1, "clients": 16,
              "seconds": subject.size.seconds, "users": 16}
    return {"tls_sessions": subject.load("sessions", **common)["sessions_per_s"],
            "tls_resumed": subject.load("sessions", resume=1, **common)["sessions_per_s"]}


CASES = {case.__name__: case for case in (
    lmtp, lmtp_twenty, fetch, select, changes, stores, sessions, bodies, idle, memory,
    pop3, list_names, singles, appends, tls_sessions, idlers, sieve)}
