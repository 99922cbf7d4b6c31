#!/usr/bin/env bash
# Layout of the lines changed since BASE (default: the last commit), as .clang-format wants it. Prints the difference and
# exits 1 where there is one; --fix applies it. Usage: scripts/check-format.sh [--fix] [BASE]
set -euo pipefail
source "$(dirname "$0")/lib.sh"

mode=--diff
if [ "${1:-}" = --fix ]; then
    mode=
    shift
fi
base=${1:-HEAD}
install_packages clang-format
if [ -z "$mode" ]; then
    exec git clang-format "$base" --extensions c,h
fi
difference=$(git clang-format --diff "$base" --extensions c,h || true)
case "$difference" in
"" | "no modified files to format" | *"did not modify any files"*) exit 0 ;;
esac
printf '%s\n' "$difference"
exit 1
