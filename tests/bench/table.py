"""The metrics in words, medians, ratios, and the markdown table."""

import statistics
from dataclasses import dataclass


@dataclass
class Metric:
    """`target` is what Postern's ratio to the better peer should reach (at least 1: as good)."""

    key: str
    text: str
    unit: str
    more_is_better: bool = True
    target: float | None = None


def rate(key, text, target=None):
    return Metric(key, text, "/s", True, target)


def cost(key, text, unit, target=None):
    return Metric(key, text, unit, False, target)


METRICS = [
    *[rate(f"lmtp_{kib}k_{n}", f"LMTP, {kib} KB, {n} connection{'s' * (n > 1)}",
           2 if n > 1 else None) for kib in (8, 20) for n in (1, 4, 16)],
    *[cost(f"lmtp_cpu_{kib}k_{n}", f"LMTP, {kib} KB, {n} connections: server CPU a message", "ms")
      for kib in (8, 20) for n in (4, 16)],
    *[rate(f"sieve_{name}_{n}", f"LMTP, 8 KB, {n} connections, {text}", target)
      for name, text, target in (("none", "no script", None), ("200", "a script of 200 rules", 1.5))
      for n in (4, 16)],
    *[cost(f"sieve_cpu_{name}_{n}", f"LMTP, 8 KB, {n} connections, {text}: server CPU a message",
           "ms") for name, text in (("none", "no script"), ("200", "a script of 200 rules"))
      for n in (4, 16)],
    rate("lmtp_twenty", "LMTP, 8 KB to 20 recipients: deliveries", 4),
    *[rate(f"fetch_{key}{suffix}", f"FETCH 1:* {text}, {when}", target)
      for key, text, target in (("uid_flags", "(UID FLAGS)", 2), ("envelope", "ENVELOPE", 4),
                                ("bodystructure", "BODYSTRUCTURE", 2),
                                ("headers", "Thunderbird's header fields", 2))
      for suffix, when in (("_first", "first time"), ("", "repeated"))],
    Metric("bodies", "FETCH 1:* BODY.PEEK[], messages of 1 MiB", "MiB/s"),
    Metric("bodies_tls", "the same through TLS", "MiB/s"),
    cost("select_small", "SELECT, 100 messages", "ms"),
    cost("select_big", "SELECT, 100,000 messages", "ms"),
    cost("select_huge", "SELECT, 1,000,000 messages", "ms"),
    rate("sessions", "connect+LOGIN+SELECT+LOGOUT, 16 clients", 4),
    rate("tls_sessions", "the same with TLS, full handshakes", 3),
    rate("tls_resumed", "the same with TLS, sessions resumed", 3),
    rate("store", "STORE 1:* +FLAGS: messages", 2),
    rate("single_stores", "single STOREs", 2),
    rate("copy", "COPY 1:*: messages", 2),
    rate("move", "MOVE 1:*: messages", 2),
    rate("expunge", "EXPUNGE: messages", 2),
    cost("idle_p50", "change seen by an idling session, p50", "ms"),
    cost("idle_p99", "change seen by an idling session, p99", "ms"),
    cost("announce_p50", "delivery announced to many idle sessions, p50", "ms"),
    cost("announce_p99", "delivery announced to many idle sessions, p99", "ms"),
    cost("announce_tls_p50", "the same with TLS, p50", "ms"),
    cost("announce_tls_p99", "the same with TLS, p99", "ms"),
    rate("pop3", "POP3 RETR+DELE: messages", 2),
    cost("pop3_cpu", "POP3 RETR+DELE: server CPU a message", "ms"),
    cost("list_all", "LIST of 5,500 names", "ms", 2),
    cost("list_lsub", "LSUB of 1,100 of them", "ms", 2),
    cost("list_subscribed", "LIST (SUBSCRIBED) of these", "ms", 2),
    cost("list_status", "LIST of 500 with STATUS", "ms", 2),
    rate("singles", "single FETCHes of BODY.PEEK[], 8 KB", 2),
    rate("appends_1", "single APPENDs, 8 KB, 1 connection", 2),
    rate("appends_4", "single APPENDs, 8 KB, 4 connections", 2),
    cost("pss_spare", "Pss of an idle IMAP worker", "MB"),
    cost("pss_busy", "Pss of a busy IMAP worker, the only one", "MB"),
    cost("pss_busy_16", "Pss of the largest of 16 busy IMAP workers", "MB"),
    cost("pss_all", "Pss of all processes, one busy session", "MB"),
    cost("pss_idler", "Pss for each client in IDLE", "KB"),
    cost("pss_idler_tls", "Pss for each client in IDLE, TLS", "KB"),
]


def median(values):
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def show(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratio(metric, medians):
    """How many times better Postern is than the better of the peers, or None."""
    ours = medians.get("postern")
    peers = [value for name, value in medians.items()
             if name in ("dovecot", "dovecot-sieve", "cyrus") and value is not None]
    if not ours or not peers:
        return None
    return ours / max(peers) if metric.more_is_better else min(peers) / ours


def row(metric, medians, servers):
    cells = [metric.text, metric.unit] + [show(medians.get(name)) for name in servers]
    if "postern" in servers:
        found = ratio(metric, medians)
        cells += [f"{found:.2f}" if found else "-", f"{metric.target:g}" if metric.target else ""]
    return "| " + " | ".join(cells) + " |"


def markdown(samples, servers):
    """`samples`: {server: {metric: [value a round]}}."""
    heads = ["what", "unit"] + list(servers)
    if "postern" in servers:
        heads += ["ratio", "wanted"]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "---:|" * (len(heads) - 2)]
    for metric in METRICS:
        medians = {name: median(samples[name].get(metric.key, [])) for name in servers}
        if any(value is not None for value in medians.values()):
            lines.append(row(metric, medians, servers))
    return "\n".join(lines)
