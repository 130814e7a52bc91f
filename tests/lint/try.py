#!/usr/bin/env python3
"""Nothing that must be destroyed is made before TRY in the same expression.

TRY returns from the middle of it, and g++ 12 doesn't destroy what the expression had made by then:
members of an object between braces, the value of an earlier TRY. On the error path that leaks
memory, descriptors or locks. So TRY comes first between braces, and once in an expression.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NO_CODE = re.compile(r"//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)'")  # comments and texts
TRY = re.compile(r"\bTRY\(")
BLOCK = re.compile(r"(?:[;{})]|\belse|\bdo|\bconst|\bnoexcept|->\s*[\w:<>*& ]+|^)\s*$")
# Opened once when a process starts, which ends when that fails.
AT_START = {"lib/meta/tables.cpp"}


def before(text, end):
    """What stands before `end` in its statement: (what begins it, text behind that), inside out."""
    depth, last = 0, end
    for at in range(end - 1, -1, -1):
        c = text[at]
        if c in ")]}":
            # "if (…) x = TRY", "} x = TRY": another statement.
            if depth == 0 and c != "]" and re.match(r"\s*[\w*]", text[at + 1:]):
                yield c, text[at + 1:last]
                return
            depth += 1
        elif c in "([{":
            if depth > 0:
                depth -= 1
                continue
            if c == "{" and BLOCK.search(text[max(0, at - 60):at]):
                return
            yield c, text[at + 1:last]
            last = at
        elif c == ";" and depth == 0:
            yield c, text[at + 1:last]
            return


def is_second(text, at):
    for bracket, done in before(text, at):
        if bracket == "{" and "," in done:
            return True
        if TRY.search(done) and "?" not in done:
            return True
    return False


def offences(path):
    text = NO_CODE.sub(lambda found: " " * len(found[0]), path.read_text())
    for found in TRY.finditer(text):
        if is_second(text, found.start()):
            yield text.count("\n", 0, found.start()) + 1


def main():
    files = subprocess.run(["git", "ls-files", "*.cpp", "*.h"], cwd=ROOT, check=True, text=True,
                           capture_output=True).stdout.split()
    bad = [f"{name}:{line}" for name in files
           if name not in AT_START and name != "lib/base/result.h" for line in offences(ROOT / name)]
    for place in bad:
        print(f"{place}: make the value of TRY a variable first")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
