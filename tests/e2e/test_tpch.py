"""The 22 TPC-H queries through PySpark: equal to DuckDB's answers, from local files and from S3, on both set-ups."""
import decimal
import math

import pytest

from conftest import QUERIES


def same(got, want):
    if isinstance(want, (float, decimal.Decimal)) and got is not None:
        return math.isclose(float(got), float(want), rel_tol=1e-9, abs_tol=1e-2 if isinstance(want, float) else 1e-9)
    return (got.strip() if isinstance(got, str) else got) == (want.strip() if isinstance(want, str) else want)


def check(spark, query, answers):
    got = [tuple(r) for r in spark.sql(query.read_text()).collect()]
    want = answers[query.stem]
    assert len(got) == len(want)
    for number, (left, right) in enumerate(zip(got, want)):
        assert len(left) == len(right) and all(same(a, b) for a, b in zip(left, right)), f"row {number}: {left} != {right}"


@pytest.fixture(scope="module")
def local(server, tpch):
    spark = server.session()
    for file in tpch.glob("*.parquet"):
        spark.read.parquet(str(file)).createOrReplaceTempView(file.stem)
    return spark


@pytest.fixture(scope="module")
def on_s3(server, s3, tpch):
    if not s3.keys("tpch/lineitem.parquet"):
        s3.upload(tpch, "tpch")
    spark = server.session()
    for file in tpch.glob("*.parquet"):
        spark.read.parquet(f"s3a://bench/tpch/{file.name}").createOrReplaceTempView(file.stem)
    return spark


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.stem)
def test_from_local_files(local, query, tpch_answers):
    check(local, query, tpch_answers)


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.stem)
def test_from_s3(on_s3, query, tpch_answers):
    check(on_s3, query, tpch_answers)
