#!/usr/bin/env bash
# Look for more: builds the fuzz targets with clang and runs them one after the other, at the lowest priority.
# Usage: scripts/fuzz.sh [SECONDS] [NAME...]     default: 600 s each of all; names as in tests/fuzz: record_isybau, store ...
# What each found stays in out/fuzz/NAME; a crash ends the script with its input named. Debian: apt-get install clang.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
[ $# -gt 0 ] && shift
command -v clang >/dev/null || { echo "clang is not installed"; exit 1; }
cmake --preset fuzz -DBUILD_TESTING=ON >/dev/null
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  mapfile -t names < <(cmake --build --preset fuzz --target help | sed -n 's/^fuzz_\([a-z0-9_]*\)_live: phony$/\1/p' | sort)
fi
mapfile -t targets < <(printf 'fuzz_%s_live\n' "${names[@]}")
cmake --build --preset fuzz -j"${INTRADOS_JOBS:-$(nproc)}" --target fuzz_make_seeds "${targets[@]}"
seeds=out/fuzz/seeds
mkdir -p "$seeds"
build/fuzz/bin/fuzz_make_seeds "$seeds" tests/data/records
root=$PWD
for name in "${names[@]}"; do
  work=out/fuzz/$name
  mkdir -p "$work"
  folders=("$root/$seeds/$name")
  [ -d "tests/fuzz/corpus/$name" ] && folders+=("$root/tests/fuzz/corpus/$name")
  echo "== $name, $seconds s"
  (cd "$work" && nice -n 19 "$root/build/fuzz/bin/fuzz_${name}_live" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 \
    -print_final_stats=1 -verbosity=0 . "${folders[@]}") || { echo "$name fell; its input is in $work"; exit 1; }
done
