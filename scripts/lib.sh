# shellcheck shell=bash
# Shared by the scripts; sourced by bash with `set -euo pipefail` on. No side effects but cd to the repository root.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

say()
{
    printf '== %s\n' "$*"
}

die()
{
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Cores to build and test with; INTRADOS_JOBS overrides.
job_count()
{
    echo "${INTRADOS_JOBS:-$(nproc)}"
}

# Install the Debian packages named as arguments that are not there yet. Asks nothing, says little, and does
# nothing at all when all are there, so that it works without a network and without root.
install_packages()
{
    local missing=() package log
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    command -v apt-get >/dev/null || die "needs these packages of Debian 12, please install them: ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "run as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing ${#missing[@]} packages: ${missing[*]}"
    log=$(mktemp)
    if ! { "${as_root[@]}" apt-get -q update &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}"; } \
        >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        die "could not install: ${missing[*]} (the reason stands above)"
    fi
    rm -f "$log"
}

# Names of a list file, comments dropped.
package_list()
{
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "scripts/packages-$1.txt"
}

# Packages of the named lists, e.g. `need_packages build test`.
need_packages()
{
    local list names=()
    for list in "$@"; do
        mapfile -t -O ${#names[@]} names < <(package_list "$list")
    done
    install_packages "${names[@]}"
}

# node and npm (any version from 18 on that is there, else Debian's), and the modules that the lock file names.
need_node_modules()
{
    local folder=$1 log
    [ -f "$folder/package.json" ] || return 0
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then install_packages nodejs npm; fi
    cmp -s "$folder/package-lock.json" "$folder/node_modules/.intrados-lock" && return 0
    say "installing the node modules of $folder"
    log=$(mktemp)
    if ! npm ci --prefix "$folder" --no-audit --no-fund >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        die "npm ci failed in $folder (the reason stands above)"
    fi
    rm -f "$log"
    cp "$folder/package-lock.json" "$folder/node_modules/.intrados-lock"
}

# Configure and build a preset into build/PRESET. Says nothing of what went well.
build_preset()
{
    local preset=$1 log
    shift
    say "building preset $preset"
    mkdir -p build
    log=build/$preset.log
    if ! { cmake --preset "$preset" "$@" && cmake --build --preset "$preset" -j "$(job_count)"; } >"$log" 2>&1; then
        grep -E -A12 'FAILED|error|Error' "$log" | head -n 80 >&2 || true
        die "preset $preset does not build; all of it is in $log"
    fi
}
