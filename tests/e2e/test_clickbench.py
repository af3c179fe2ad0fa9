"""The 43 queries of ClickBench through PySpark over a generated table: equal to DuckDB's answers over the same files, on both set-ups."""
import os
import pathlib
import re
import subprocess
import sys

import pytest

import services
from answers import check_rows, totally_ordered

FOLDER = pathlib.Path(__file__).parent.parent.parent / "benches" / "clickbench"
QUERIES = [q for q in FOLDER.joinpath("queries.sql").read_text().split(";\n") if q]
ROWS = int(os.environ.get("FIRESTEEL_CLICKBENCH_ROWS", "200000"))


def duckdb_text(sql):
    """Raw strings are DuckDB's plain ones, and groups of a pattern are referred to with a backslash."""
    return re.sub(r"\br'", "'", sql).replace("'$1'", r"'\1'")


@pytest.fixture(scope="module")
def data():
    """The table as parquet files; the number of rows is FIRESTEEL_CLICKBENCH_ROWS."""
    target = services.CACHE / "data" / f"hits-{ROWS}"
    with services.made_once(target) as missing:
        if missing:
            subprocess.run([sys.executable, FOLDER / "generate.py", str(ROWS), target], check=True)
    return target


@pytest.fixture(scope="module")
def peer(data):
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET default_null_order = 'nulls_first_on_asc_last_on_desc'")
    connection.execute(f"CREATE VIEW hits AS SELECT * FROM '{data}/*.parquet'")
    return connection


@pytest.fixture(scope="module")
def tables(server, data):
    spark = server.session()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.read.parquet(str(data / "*.parquet")).createOrReplaceTempView("hits")
    yield spark
    spark.stop()


@pytest.mark.parametrize("number", range(len(QUERIES)))
def test_clickbench(tables, peer, number):
    sql = QUERIES[number]
    width = len(peer.execute(f"SELECT * FROM ({duckdb_text(sql)}) LIMIT 0").description)
    sql = totally_ordered(sql, width)
    check_rows(tables.sql(sql).collect(), peer.execute(duckdb_text(sql)).fetchall())


def test_most_queries_find_rows(peer):
    """A comparison of nothing with nothing proves nothing."""
    assert sum(1 for sql in QUERIES if peer.execute(duckdb_text(sql)).fetchone()) >= 40
