#!/usr/bin/env bash
# Installs what is missing, builds with warnings as errors, and runs every test but the long ones: the quick ones under
# ASan and UBSan first, then all of them as users get the program. The output ends with ctest's own summary: of the
# release run, or of the sanitizer run when that is the one that failed.
# Usage: scripts/test.sh [ctest options]     e.g. scripts/test.sh -R camera
set -euo pipefail
source "$(dirname "$0")/lib.sh"

need_packages build test
need_node_modules export/report
need_node_modules tests/browser
# Both builds before any test: a broken build shows at once.
build_preset release -DBUILD_TESTING=ON
build_preset asan -DBUILD_TESTING=ON

# A leak is a bug too. Threads: the cores are shared by the tests that run side by side.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

# Without a choice of tests, finding none is a failure.
[ $# -gt 0 ] || set -- --no-tests=error

say "quick tests under ASan and UBSan"
asan=0
ctest --test-dir build/asan -L quick -j "$(job_count)" --output-on-failure "$@" 2>&1 |
    tee build/asan-ctest.log || asan=$?

say "all tests but the long ones, release build"
release=0
ctest --preset release -j "$(job_count)" "$@" || release=$?

if [ "$asan" -ne 0 ]; then
    say "the quick tests under ASan and UBSan failed; their summary once more"
    sed -n '/% tests passed/,$p' build/asan-ctest.log
fi
[ "$asan" -eq 0 ] && [ "$release" -eq 0 ]
