# Sourced by ./test, ./quickstart and the benchmarks: finds or installs what they need on Debian or Ubuntu.
# Everything large lives outside the checkout, in $FIRESTEEL_CACHE, so that a fresh clone reuses it.

FIRESTEEL_CACHE=${FIRESTEEL_CACHE:-$HOME/.cache/firesteel}
FIRESTEEL_TARGET=${FIRESTEEL_TARGET:-$FIRESTEEL_CACHE/target}
export FIRESTEEL_CACHE FIRESTEEL_TARGET
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '\n== %s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else echo "cannot run '$*': neither root nor sudo" >&2; return 1
    fi
}

# need_packages COMMAND PACKAGE...: installs the packages when the command is missing; fails when that cannot be done.
need_packages() {
    local command=$1; shift
    command -v "$command" >/dev/null && return 0
    command -v apt-get >/dev/null || { echo "'$command' is missing and there is no apt-get to install $*" >&2; return 1; }
    say "installing $*"
    as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

need_build_tools() {
    need_packages cc build-essential || return 1
    [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
    command -v cargo >/dev/null && return 0
    echo "cargo is missing: install a Rust toolchain (https://rustup.rs) and run this again" >&2
    return 1
}

# A Python environment with tests/requirements.txt, made once for each version of that file.
need_python() {
    need_packages python3 python3 || return 1
    local stamp
    stamp=$(sha256sum "$HERE/tests/requirements.txt" | cut -c1-12)
    VENV=$FIRESTEEL_CACHE/venv-$stamp
    if [ ! -f "$VENV/ready" ]; then
        say "installing the Python clients and test services into $VENV"
        rm -rf "$VENV"
        python3 -m venv "$VENV" >/dev/null 2>&1 || {
            as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
            rm -rf "$VENV" && python3 -m venv "$VENV"
        } || return 1
        "$VENV/bin/pip" install -q -r "$HERE/tests/requirements.txt" && touch "$VENV/ready" || return 1
    fi
    PYTHON=$VENV/bin/python
    export VENV PYTHON
}

# PostgreSQL's server programs; returns 1 when they cannot be had.
need_postgres() {
    PG_BIN=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
    if [ -z "$PG_BIN" ]; then
        need_packages no-such-command-postgres postgresql >/dev/null 2>&1
        PG_BIN=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
    fi
    [ -n "$PG_BIN" ] && [ -x "$PG_BIN/initdb" ]
}

build_firesteel() {
    say "building firesteel (the first build compiles some 450 crates and takes a while)"
    (cd "$HERE" && CARGO_TARGET_DIR=$FIRESTEEL_TARGET cargo build --locked --release -p firesteel-cli) || return 1
    FIRESTEEL_BIN=$FIRESTEEL_TARGET/release/firesteel
    export FIRESTEEL_BIN
}
