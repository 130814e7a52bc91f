#!/usr/bin/env python3
"""Each row of the option table is asked for by the code, and doc/configuration.md lists them all."""
import pathlib
import re
import sys

ROW = re.compile(r'Option\{\s*"([^"]+)"')
ASK = re.compile(r'\b(?:boolean|integer|size|duration|text|list|secret)\(\s*(?:fmt::format\(\s*)?"([a-z0-9_.*{}]+)"')
LITERAL = re.compile(r'"\.?([a-z_]+)"')
FOLDERS = ("lib", "imapd", "pop3d", "lmtpd", "sieve", "master", "tools")


def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.cpp")):
            if path.relative_to(root).as_posix() != "lib/config/options.cpp":
                yield path.read_text()
        for path in sorted((root / folder).rglob("*.h")):
            yield path.read_text()


def main():
    root = pathlib.Path(sys.argv[1])
    rows = ROW.findall((root / "lib/config/options.cpp").read_text())
    text = "\n".join(sources(root))
    asked = {name.replace("{}", "*") for name in ASK.findall(text)}
    words = set(LITERAL.findall(text))
    # Options of a "*" table are often asked for by joining: their last level must appear as a word.
    unused = [row for row in rows if row not in asked and row not in text
              and not ("*" in row and row.rsplit(".", 1)[1] in words)]
    manual = (root / "doc/configuration.md").read_text()
    undocumented = [row for row in rows if f"`{row}`" not in manual]
    problems = [f"option '{row}' is used nowhere" for row in unused]
    problems += [f"option '{row}' is not in doc/configuration.md (postern config manual writes it)"
                 for row in undocumented]
    print("\n".join(problems) or f"{len(rows)} options, all used and documented")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
