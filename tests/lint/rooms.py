#!/usr/bin/env python3
"""Names every #include that crosses rooms in a direction that doc/rooms.tsv doesn't list."""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#include "([^"]+)"', re.M)


def read_rooms(root):
    rooms = {}
    for line in (root / "doc/rooms.tsv").read_text().splitlines():
        if not line.startswith("#"):
            room, _, allowed = line.partition("\t")
            rooms[room] = allowed.split()
    return rooms


def room_of(path, rooms):
    """The longest room that the path lies in."""
    found = [room for room in rooms if path.startswith(room + "/")]
    return max(found, key=len, default=None)


def allows(rooms, source, target):
    return any(
        rule in ("*", target) or (rule.endswith("/*") and target.startswith(rule[:-1]))
        for rule in rooms[source]
    )


def wrong_edges(root, rooms):
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix not in (".h", ".cpp") or name.startswith("build/"):
            continue
        source = room_of(name, rooms)
        if source is None:
            yield f"{name}: in no room"
            continue
        for included in INCLUDE.findall(path.read_text()):
            target = room_of(included, rooms)
            if target not in (None, source) and not allows(rooms, source, target):
                yield f"{name}: includes {included}: {source} -> {target} is not in doc/rooms.tsv"


def main():
    root = pathlib.Path(sys.argv[1])
    problems = list(wrong_edges(root, read_rooms(root)))
    print("\n".join(problems) or "all includes follow doc/rooms.tsv")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
