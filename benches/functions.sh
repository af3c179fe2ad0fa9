#!/usr/bin/env bash
# The most used functions and casts, as the analyzer plans them in ANSI mode, beside DataFusion's nearest equivalents: nanoseconds a row of both.
#   cargo xtask bench functions [--rows 1000000] [--only WORD]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tests/prepare.sh"
need_build_tools
export CARGO_TARGET_DIR=$FIRESTEEL_TARGET
exec cargo bench --locked --quiet --manifest-path "$HERE/Cargo.toml" -p firesteel-spark --bench functions -- "$@"
