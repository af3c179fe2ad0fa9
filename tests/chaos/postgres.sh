#!/usr/bin/env bash
# Seeded kills during writes into PostgreSQL; see postgres.py. One command: tests/chaos/postgres.sh [--seeds 100]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../prepare.sh"
need_build_tools
build_firesteel
need_python
need_postgres
exec "$PYTHON" "$HERE/tests/chaos/postgres.py" "$@"
