#!/usr/bin/env bash
# Install what building, testing or benchmarking needs, from Debian and npm. Usage: scripts/setup.sh [build] [test] [bench]
set -euo pipefail
source "$(dirname "$0")/lib.sh"

[ $# -gt 0 ] || set -- build
for list in "$@"; do
    [ -f "scripts/packages-$list.txt" ] || die "no list '$list'; there are: build test bench"
done
need_packages "$@"
for list in "$@"; do
    if [ "$list" = build ]; then need_node_modules export/report; fi
    if [ "$list" = test ]; then need_node_modules tests/browser; fi
done
say "everything for '$*' is installed"
