#!/usr/bin/env bash
# Writing to and reading from ClickHouse and S3, beside the ClickHouse engine's own Arrow insert, the local disk and S3 with the bytes
# alone; then the memory of executors from 1 to so many million rows. One table each.
#   cargo xtask bench stores [--rows 6000000] [--runs 3] [--memory 1,10,100] [--only clickhouse,s3] [--apart]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tests/prepare.sh"
need_build_tools
build_firesteel
need_python
need_packages curl curl
exec "$PYTHON" "$HERE/benches/stores/compare.py" "$@"
