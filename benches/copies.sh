#!/usr/bin/env bash
# TPC-H lineitem from S3 into PostgreSQL and back to S3 on a scheduler and two executors of 2 GiB each: times, peak memory, equal sums.
#   cargo xtask bench copies [--sf 10] [--strategy direct|staged] [--free-gb 25]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tests/prepare.sh"
need_build_tools
build_firesteel
need_python
need_postgres
exec "$PYTHON" "$HERE/benches/stores/copies.py" "$@"
