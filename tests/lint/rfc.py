#!/usr/bin/env python3
"""Holds doc/rfc.tsv to the code: each capability that imapd announces has its line with the same
text, each line's files are there, and some of them cites the text. And each citation of an RFC has
the one form that a script can find: RFC 9051 §6.4.3."""
import pathlib
import re
import sys

ROW = re.compile(r'CapabilityRow\{"([^"]+)",[^"]*"(RFC \d+)"')
RUN_TIME = re.compile(r'" ([A-Z][A-Z0-9=-]+)[{"]')
WRONG = re.compile(r"\b(?:RFC\d{4}|rfc ?\d{4}|Rfc ?\d{4}|RFC-\d+|RFC \d+,? (?:[Ss]ec(?:tion|\.)?|§ ))")
FOLDERS = ("lib", "imapd", "pop3d", "lmtpd", "sieve", "master", "tools")


def announced(root):
    """Capability: text. "" for those that are put together at run time."""
    text = (root / "imapd/capability.cpp").read_text()
    found = {name.rstrip("="): "" for name in RUN_TIME.findall(text)}
    return found | dict(ROW.findall(text))


def listed(root):
    for number, line in enumerate((root / "doc/rfc.tsv").read_text().splitlines(), 1):
        if line and not line.startswith("#"):
            yield number, *line.split("\t")


def sources_of(root, where):
    """The files of "imapd/command/expunge.cpp, append.cpp": later ones lie beside the first."""
    folder = None
    for name in where.split(", "):
        path = root / name
        if "/" not in name and folder is not None:
            path = folder / name
        folder = path.parent if path.suffix else path
        yield path


def problems_of_row(root, number, capability, text, where):
    cited = False
    for path in sources_of(root, where):
        if not path.exists():
            yield f"doc/rfc.tsv:{number}: {capability}: no {path.relative_to(root)}"
            continue
        files = [path] if path.is_file() else sorted(path.rglob("*.cpp"))
        cited = cited or any(text in file.read_text() for file in files)
    if not cited:
        yield f"doc/rfc.tsv:{number}: {capability}: no file of it cites {text}"


def problems(root):
    capabilities = announced(root)
    seen = set()
    for number, capability, text, where in listed(root):
        seen.add(capability)
        if capabilities.get(capability) not in ("", text):
            yield (f"doc/rfc.tsv:{number}: {capability} is announced by "
                   f"{capabilities.get(capability, 'nobody')}, not {text}")
        yield from problems_of_row(root, number, capability, text, where)
    for capability in sorted(set(filter(capabilities.get, capabilities)) - seen):
        yield f"imapd/capability.cpp: {capability} has no line in doc/rfc.tsv"
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]*")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if "//" in line and WRONG.search(line[line.index("//"):]):
                    yield f"{path.relative_to(root)}:{number}: cite as RFC 9051 §6.4.3"


def main():
    root = pathlib.Path(sys.argv[1])
    found = list(problems(root))
    print("\n".join(found) or f"{len(list(listed(root)))} capabilities, all as announced")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
