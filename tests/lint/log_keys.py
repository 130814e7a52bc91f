#!/usr/bin/env python3
"""Holds doc/log-keys.tsv to the LOG lines of the code: each key is documented, each row is used."""
import pathlib
import re
import sys

CALL = re.compile(r"\bLOG\(\s*\w+\s*,(.*?)\);", re.S)
KEY = re.compile(r'\{\s*"([a-z0-9_]+)"\s*,')
FOLDERS = ("lib", "imapd", "pop3d", "lmtpd", "sieve", "master", "tools")


def used_keys(root):
    keys = {}
    for folder in FOLDERS:
        for path in sorted(p for p in (root / folder).rglob("*") if p.suffix in (".cpp", ".h")):
            for call in CALL.findall(path.read_text()):
                for key in KEY.findall(call):
                    keys.setdefault(key, path.relative_to(root).as_posix())
    return keys


def documented_keys(root):
    lines = (root / "doc/log-keys.tsv").read_text().splitlines()
    return {line.split("\t")[0] for line in lines if line and not line.startswith("#")}


def main():
    root = pathlib.Path(sys.argv[1])
    used, documented = used_keys(root), documented_keys(root)
    problems = [f"{where}: log key '{key}' is not in doc/log-keys.tsv"
                for key, where in used.items() if key not in documented]
    problems += [f"doc/log-keys.tsv: '{key}' is logged nowhere"
                 for key in sorted(documented - set(used)) if key not in ("event", "assertion", "file", "line")]
    print("\n".join(problems) or f"{len(used)} log keys, all documented")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
