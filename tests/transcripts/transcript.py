"""A transcript: what is given, what clients say, what the server must answer.

    given mailbox INBOX of anna with 3 messages, uid 2 flagged \\Deleted
    given mailbox Lists of anna
    given message plain.eml in INBOX of anna
    given mailbox news with 2 messages, readable by anyone
    given acl of Lists of anna: bob lrs
    given quota of INBOX of anna: MESSAGE 3
    given script events of anna: keep;      put with ManageSieve, not activated
    given connection 1 as anna, enabled QRESYNC, selected INBOX
    given connection 2
    given connection 3, greeting unread
    given connection 4, octets together   one segment for each line, with --octets too
    1> a1 NOOP          sent with CRLF
    1>> a1 NO\\r\\n      sent as it is, with \\r \\n \\t \\xHH \\\\ escapes
    1< a1 OK ...        one line of the answer; `...` at the end: any rest of the line
    1< ...              any lines up to the one that the next expectation matches
    1< {number} {word} {n=number} {n}   a number, a word, one remembered, the remembered one again
    1! closed           the server closes the connection
    # comment

Users anna, bob, carla and dave are replaced by users that no other transcript has.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

STEP = re.compile(r"^(\w+)(>>|>|<|!) ?(.*)$")
PLACEHOLDER = re.compile(r"\{(?:(\w+)=)?(\w+)\}")
KINDS = {"number": r"\d+", "word": r"[^ ()\[\]\r\n]+", "text": r".+?"}
ACTORS = ("anna", "bob", "carla", "dave")


@dataclass
class Step:
    line: int
    connection: str
    action: str  # ">", ">>", "<", "!"
    text: str


@dataclass
class Transcript:
    path: Path
    givens: list = field(default_factory=list)  # (line number, text)
    steps: list = field(default_factory=list)


def read(path):
    transcript = Transcript(path)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("given "):
            transcript.givens.append((number, line[len("given "):]))
            continue
        match = STEP.match(line)
        if not match:
            raise ValueError(f"{path}:{number}: neither a given nor a step: {line}")
        transcript.steps.append(Step(number, match[1], match[2], match[3]))
    return transcript


def actors_in(transcript):
    text = transcript.path.read_text()
    return [actor for actor in ACTORS if re.search(rf"\b{actor}\b", text)]


def with_users(text, users):
    """`text` with each actor replaced by the user who plays it."""
    for actor, user in users.items():
        text = re.sub(rf"\b{actor}\b", user, text)
    return text


def pattern_of(text, remembered):
    """A regular expression for one expected line."""
    open_end = text.endswith("...")
    if open_end:
        text = text[:-3]
    out, at = [], 0
    for match in PLACEHOLDER.finditer(text):
        kind = KINDS.get(match[2])
        if kind is None and match[2] not in remembered:
            continue  # a literal such as {12}
        out.append(re.escape(text[at:match.start()]))
        if kind is None:
            out.append(re.escape(remembered[match[2]]))
        else:
            out.append(f"(?P<{match[1]}>{kind})" if match[1] else kind)
        at = match.end()
    out.append(re.escape(text[at:]))
    return re.compile("".join(out) + (".*" if open_end else ""), re.S)


def fill(text, remembered):
    """`text` with remembered values in place of their names."""
    for name, value in remembered.items():
        text = text.replace("{" + name + "}", value)
    return text
