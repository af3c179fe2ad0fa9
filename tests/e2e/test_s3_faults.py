"""Writes of files to an S3 that loses requests, refuses them or is gone: all rows once, or what was there before."""
import datetime
import decimal
import math

import jdbc
import pytest
import services
import sinks
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

UTC = datetime.timezone.utc
PART, BEGIN, COMPLETE = r"^PUT .*partNumber=", r"^POST .*uploads", r"^POST .*uploadId="


@pytest.fixture
def target(request):
    return sinks.of(request, "s3")


@pytest.fixture
def table(target, request):
    name = jdbc.name_of(request)
    target.drop(name)
    yield name
    target.drop(name)


@pytest.fixture
def behind(spark, s3_proxy):
    """A session whose S3 is the proxy."""
    spark.conf.set("spark.hadoop.fs.s3a.endpoint", s3_proxy.endpoint)
    return spark


def frame(spark, first, last):
    return spark.range(first, last, 1, 4).withColumn("v", F.concat(F.lit("value "), "id"))


@pytest.mark.parametrize("match", [BEGIN, PART, COMPLETE, r"^GET .*list-type=2", r"^PUT .*_SUCCESS"])
@pytest.mark.parametrize("fault", [{"action": "refuse", "status": 503}, {"action": "lose_before"}, {"action": "lose_after"}])
def test_what_passes_is_done_again_and_nothing_is_there_twice(behind, s3_proxy, target, table, match, fault):
    target.write(frame(behind, 0, 100), table)
    s3_proxy.faults({"match": match, "times": 2, **fault})
    target.write(frame(behind, 100, 1000), table, "overwrite" if "list-type" in match else "append")
    assert target.count(table) == ((900, 900) if "list-type" in match else (1000, 1000))


@pytest.mark.parametrize("mode", ["append", "overwrite"])
@pytest.mark.parametrize("match", [BEGIN, PART, COMPLETE])
def test_a_write_that_is_refused_says_so(behind, s3_proxy, target, table, match, mode):
    target.write(frame(behind, 0, 100), table)
    s3_proxy.faults({"match": match, "action": "refuse", "status": 403, "times": 1000})
    with pytest.raises(PySparkException) as error:
        target.write(frame(behind, 100, 1000), table, mode)
    assert error.value.getSqlState() and table in str(error.value)
    assert services.S3_SECRET not in str(error.value)
    s3_proxy.faults()
    # An overwrite has taken the old files away when it completes the new ones.
    assert target.count(table) == ((0, 0) if (match, mode) == (COMPLETE, "overwrite") else (100, 100))
    services.wait_until("uploads that are dropped", lambda: not target.uploads(table), 20)


def test_wrong_keys_are_told_and_write_nothing(spark, target, table):
    target.write(frame(spark, 0, 100), table)
    spark.conf.set("spark.hadoop.fs.s3a.access.key", "nobody")
    spark.conf.set("spark.hadoop.fs.s3a.secret.key", "not-to-be-shown")
    with pytest.raises(PySparkException) as error:
        target.write(frame(spark, 100, 200), table)
    assert table in str(error.value) and error.value.getSqlState() and "not-to-be-shown" not in str(error.value)
    assert target.count(table) == (100, 100)


def test_a_server_that_goes_mid_way_keeps_the_old_rows(behind, s3_proxy, target, table):
    target.write(frame(behind, 0, 100), table)
    s3_proxy.faults({"match": PART, "action": "lose_before", "skip": 1, "times": 10_000},
                    {"match": "", "action": "lose_before", "skip": 20, "times": 10_000})
    with pytest.raises(PySparkException) as error:
        target.write(frame(behind, 100, 3000).withColumn("v", F.repeat("v", 3000)), table)
    assert error.value.getSqlState()
    s3_proxy.faults()
    assert target.count(table) == (100, 100)
    target.write(frame(behind, 100, 200), table)
    assert target.count(table) == (200, 200)


def test_values_arrive_as_they_are(spark, target, table):
    ddl = ("b BOOLEAN, t TINYINT, h SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, n DECIMAL(10,2), w DECIMAL(38,0), s STRING, x BINARY, "
           "dt DATE, ts TIMESTAMP, tn TIMESTAMP_NTZ, a ARRAY<STRING>, m MAP<STRING,INT>, st STRUCT<p:INT,q:STRING>")
    low = (False, -128, -2**15, -2**31, -2**63, float("-inf"), -1.7976931348623157e308, decimal.Decimal("-99999999.99"),
           decimal.Decimal("-" + "9" * 38), "", bytearray(b""), datetime.date(1, 1, 1), datetime.datetime(1, 1, 1, tzinfo=UTC),
           datetime.datetime(1, 1, 1), [], {}, (None, None))
    high = (True, 127, 2**15 - 1, 2**31 - 1, 2**63 - 1, math.nan, 5e-324, decimal.Decimal("99999999.99"), decimal.Decimal("9" * 38),
            "ä\0\n\U0001f600", bytearray(b"\x00\xff"), datetime.date(9999, 12, 31), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
            datetime.datetime(9999, 12, 31, 23, 59, 59, 999999), ["a", None], {"k": None, "l": 2}, (1, "q"))
    nothing = (None,) * len(low)
    target.write(spark.createDataFrame([low, high, nothing], ddl).coalesce(1), table)
    utc = lambda v: v.astimezone(UTC) if isinstance(v, datetime.datetime) and v.tzinfo else v  # noqa: E731
    got = [tuple(utc(v) for v in row.values()) for row in target.read(table).to_pylist()]
    plain = lambda row: tuple(bytes(v) if isinstance(v, bytearray) else list(v.items()) if isinstance(v, dict) else  # noqa: E731
                              {"p": v[0], "q": v[1]} if isinstance(v, tuple) else v for v in row)
    assert repr(got) == repr([plain(low), plain(high), plain(nothing)])
    back = spark.read.parquet(f"s3://{services.BUCKET}/sinks/{table}")
    assert [kind for _, kind in back.dtypes] == ["boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal(10,2)",
                                                 "decimal(38,0)", "string", "binary", "date", "timestamp", "timestamp_ntz", "array<string>",
                                                 "map<string,int>", "struct<p:int,q:string>"]
