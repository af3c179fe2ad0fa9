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

# The Kubernetes control plane for tests of the operator; returns 1 when it cannot be built. The first build takes some twelve
# minutes of two cores and is kept for as long as its sources are the same.
need_control_plane() {
    local source=$HERE/tests/control-plane go stamp folder
    stamp=$(cat "$source/go.mod" "$source/go.sum" "$source/main.go" | sha256sum | cut -c1-12)
    folder=$FIRESTEEL_CACHE/control-plane-$stamp
    FIRESTEEL_CONTROL_PLANE=$folder/control-plane
    export FIRESTEEL_CONTROL_PLANE
    [ -x "$FIRESTEEL_CONTROL_PLANE" ] && return 0
    go=$(command -v go || echo /usr/local/go/bin/go)
    [ -x "$go" ] || return 1
    say "building a Kubernetes control plane (once; some twelve minutes on two cores)"
    mkdir -p "$folder" && (cd "$source" && CGO_ENABLED=0 "$go" build -buildvcs=false -mod=readonly -pgo=off -trimpath \
        -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v1.37.1 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=37" \
        -o "$folder/made" .) && mv "$folder/made" "$FIRESTEEL_CONTROL_PLANE"
}

# helm, for tests of the chart; returns 1 when it cannot be built. That takes some two minutes of a core, once.
need_helm() {
    local source=$HERE/tests/helm go stamp folder
    stamp=$(cat "$source/go.mod" "$source/go.sum" | sha256sum | cut -c1-12)
    folder=$FIRESTEEL_CACHE/helm-$stamp
    FIRESTEEL_HELM=$folder/helm
    export FIRESTEEL_HELM
    [ -x "$FIRESTEEL_HELM" ] && return 0
    go=$(command -v go || echo /usr/local/go/bin/go)
    [ -x "$go" ] || return 1
    say "building helm (once; some two minutes)"
    mkdir -p "$folder" && (cd "$source" && CGO_ENABLED=0 "$go" build -buildvcs=false -mod=readonly -trimpath -ldflags "-s -w" \
        -o "$folder/made" helm.sh/helm/v3/cmd/helm) && mv "$folder/made" "$FIRESTEEL_HELM"
}

build_firesteel() {
    say "building firesteel (the first build compiles some 450 crates and takes a while)"
    (cd "$HERE" && CARGO_TARGET_DIR=$FIRESTEEL_TARGET cargo build --locked --release -p firesteel-cli) || return 1
    FIRESTEEL_BIN=$FIRESTEEL_TARGET/release/firesteel
    export FIRESTEEL_BIN
}

# A build of its own: the operator's dependencies must not change the features of those they share with the engine.
build_operator() {
    say "building the operator"
    (cd "$HERE" && CARGO_TARGET_DIR=$FIRESTEEL_TARGET cargo build --locked --release -p firesteel-operator) || return 1
    FIRESTEEL_OPERATOR_BIN=$FIRESTEEL_TARGET/release/firesteel-operator
    export FIRESTEEL_OPERATOR_BIN
}
