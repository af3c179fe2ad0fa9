#!/usr/bin/env bash
# Writing to and reading from PostgreSQL beside `psql \copy .. binary` and, where a Spark is installed, Spark's own JDBC. One table.
#   benches/postgres.sh [--rows 2000000] [--runs 3] [--spark PYTHON --driver postgresql.jar]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tests/prepare.sh"
need_build_tools
build_firesteel
need_python
need_postgres
exec "$PYTHON" "$HERE/benches/postgres/compare.py" "$@"
