#!/usr/bin/env bash
# The 22 TPC-H queries through Spark Connect on one process and on a cluster of three, beside plain DataFusion and, where they can be
# installed, pysail, DuckDB and Spark. One run, one table.
#   cargo xtask bench tpch [--sf 1] [--runs 1] [--engines firesteel,cluster,datafusion,duckdb,pysail,spark] [--queries 1,5,18]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tests/prepare.sh"
need_build_tools
build_firesteel
need_python
PEERS=$FIRESTEEL_CACHE/venv-peers
if [ ! -f "$PEERS/ready" ]; then
    say "installing the peers"
    python3 -m venv "$PEERS"
    "$PEERS/bin/pip" install -q 'pandas<3' pyspark-client==4.2.0 duckdb datafusion==55.0.0 pysail==0.7.2 && touch "$PEERS/ready"
fi
exec "$PYTHON" "$HERE/benches/tpch/compare.py" --peers "$PEERS/bin/python" "$@"
