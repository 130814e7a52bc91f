#!/bin/sh
# Each source file is laid out as .clang-format says.
command -v clang-format-14 >/dev/null || { echo "clang-format-14 is not installed"; exit 77; }
cd "$1" || exit 1
git ls-files '*.cpp' '*.h' | xargs clang-format-14 --dry-run --Werror
