#!/usr/bin/env bash
# The figures of docs/benchmarks.md: installs what is missing, builds, runs. Usage:
#   scripts/bench.sh [options of tests/bench/suite.py]        the suite of simulated scenes
#   scripts/bench.sh --memory SCENE                           peak memory against a pipe four times as long
#   scripts/bench.sh --colmap SCENE [options of colmap.py]    general structure from motion on one scene (large package)
set -euo pipefail
source "$(dirname "$0")/lib.sh"

need_packages build bench
build_preset release -DBUILD_TESTING=OFF
if [ "${1:-}" != --colmap ]; then
    exec python3 tests/bench/suite.py "$@"
fi
[ $# -ge 2 ] || die "--colmap needs the name of a scene"
scene=$2
shift 2
install_packages colmap python3-numpy
# Debian's own Python has Debian's numpy, whatever else is first in PATH.
exec nice /usr/bin/python3 tests/bench/colmap.py "$scene" --out "out/bench/colmap-$scene" "$@"
