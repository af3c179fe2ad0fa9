"""ORC files of another writer (pyarrow's), read through PySpark and SQL on both set-ups."""
import datetime
import decimal

import pyarrow
import pytest
from pyspark.errors import PySparkException
from pyarrow import orc

UTC = datetime.timezone.utc


def write(path, **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    orc.write_table(pyarrow.table(columns), str(path), compression="zstd")


@pytest.fixture
def types(tmp_path):
    """Every type that ORC and Spark share, with nulls and extremes."""
    instant = datetime.datetime(1969, 12, 31, 23, 59, 59)  # pyarrow writes fractions before 1970 wrongly
    write(
        tmp_path / "types" / "a.orc",
        flag=pyarrow.array([True, None, False]),
        tiny=pyarrow.array([-128, 127, None], pyarrow.int8()),
        small=pyarrow.array([-32768, 32767, None], pyarrow.int16()),
        number=pyarrow.array([-(2**31), 2**31 - 1, None], pyarrow.int32()),
        big=pyarrow.array([-(2**63), 2**63 - 1, None], pyarrow.int64()),
        single=pyarrow.array([1.5, float("inf"), None], pyarrow.float32()),
        double=pyarrow.array([-0.1, 1e308, None], pyarrow.float64()),
        text=pyarrow.array(["", "größer\n", None]),
        bytes=pyarrow.array([b"", b"\x00\xff", None]),
        day=pyarrow.array([datetime.date(1582, 10, 15), datetime.date(9999, 12, 31), None]),
        at=pyarrow.array([instant, datetime.datetime(2026, 2, 3, 4, 5, 6, 7), None], pyarrow.timestamp("us")),
        price=pyarrow.array([decimal.Decimal("-1.10"), decimal.Decimal("99999999.99"), None], pyarrow.decimal128(10, 2)),
        wide=pyarrow.array([decimal.Decimal(10) ** 37, decimal.Decimal(-1), None], pyarrow.decimal128(38, 0)),
        items=pyarrow.array([[1, None, 3], [], None], pyarrow.list_(pyarrow.int32())),
        names=pyarrow.array([[("a", 1), ("b", None)], [], None], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
        point=pyarrow.array([{"x": 1, "at": instant}, {"x": None, "at": None}, None],
                            pyarrow.struct([("x", pyarrow.int32()), ("at", pyarrow.timestamp("us"))])),
    )
    return str(tmp_path / "types")


def test_every_type_is_spark_s_and_every_value_comes_back(spark, types):
    frame = spark.read.orc(types)
    assert dict(frame.dtypes) == {
        "flag": "boolean", "tiny": "tinyint", "small": "smallint", "number": "int", "big": "bigint", "single": "float",
        "double": "double", "text": "string", "bytes": "binary", "day": "date", "at": "timestamp", "price": "decimal(10,2)",
        "wide": "decimal(38,0)", "items": "array<int>", "names": "map<string,bigint>",
        "point": "struct<x:int,at:timestamp>",
    }
    rows = {name: [row[i] for row in frame.collect()] for i, name in enumerate(frame.columns)}
    assert rows["big"] == [-(2**63), 2**63 - 1, None]
    assert rows["tiny"] == [-128, 127, None] and rows["flag"] == [True, None, False]
    assert rows["single"] == [1.5, float("inf"), None] and rows["double"] == [-0.1, 1e308, None]
    assert rows["text"] == ["", "größer\n", None] and rows["bytes"] == [b"", b"\x00\xff", None]
    assert rows["day"] == [datetime.date(1582, 10, 15), datetime.date(9999, 12, 31), None]
    assert rows["price"] == [decimal.Decimal("-1.10"), decimal.Decimal("99999999.99"), None]
    assert rows["wide"] == [decimal.Decimal(10) ** 37, decimal.Decimal(-1), None]
    assert rows["items"] == [[1, None, 3], [], None] and rows["names"] == [{"a": 1, "b": None}, {}, None]
    assert rows["point"][1].x is None and rows["point"][2] is None
    spark.conf.set("spark.sql.session.timeZone", "America/Los_Angeles")
    shown = [row[0] for row in frame.selectExpr("cast(at AS STRING)").collect()]
    assert shown == ["1969-12-31 15:59:59", "2026-02-02 20:05:06.000007", None]
    assert frame.selectExpr("cast(point.at AS STRING)").first()[0] == "1969-12-31 15:59:59"


def test_columns_partitions_and_rows_of_many_files(spark, tmp_path):
    for day in (1, 2, 3):
        numbers = range(day * 100_000, day * 100_000 + 50_000)
        write(tmp_path / "t" / f"day={day}" / "part.orc", id=pyarrow.array(numbers), name=[f"n{n % 7}" for n in numbers])
    frame = spark.read.orc(str(tmp_path / "t"))
    assert frame.columns == ["id", "name", "day"]
    assert frame.count() == 150_000
    assert frame.where("day = 2 AND id % 2 = 0").selectExpr("count(*)", "min(id)", "max(id)", "sum(day)").first()[:] == (
        25_000, 200_000, 249_998, 50_000)
    groups = frame.groupBy("name").count().orderBy("name").collect()
    assert [r[0] for r in groups] == [f"n{n}" for n in range(7)] and sum(r[1] for r in groups) == 150_000
    assert frame.alias("l").join(frame.alias("r"), "id").where("l.day = 3").count() == 50_000
    assert frame.selectExpr("_metadata.file_name").distinct().count() == 1
    # A schema of the user's: another order, another case, a wider type, a column that is not there.
    wanted = spark.read.schema("NAME STRING, gone DATE, id DECIMAL(20,1)").orc(str(tmp_path / "t"))
    row = wanted.where("id = 300001").first()
    assert (row.NAME, row.gone, row.id, row.day) == (f"n{300001 % 7}", None, decimal.Decimal("300001.0"), 3)


def test_files_of_two_schemas(spark, tmp_path):
    write(tmp_path / "t" / "a.orc", id=[1, 2], name=["a", "b"])
    write(tmp_path / "t" / "b.orc", more=[1.5], id=[3])
    plain = spark.read.orc(str(tmp_path / "t")).orderBy("id")
    assert [tuple(r) for r in plain.collect()] == [(1, "a"), (2, "b"), (3, None)]
    both = spark.read.option("mergeSchema", True).orc(str(tmp_path / "t")).orderBy("id")
    assert both.columns == ["id", "name", "more"]
    assert [tuple(r) for r in both.collect()] == [(1, "a", None), (2, "b", None), (3, None, 1.5)]


def test_tables_of_sql_over_orc(spark, tmp_path):
    write(tmp_path / "t" / "a.orc", id=[1, 2, 3], name=["a", "b", None])
    location = str(tmp_path / "t")
    assert spark.sql(f"SELECT count(name), sum(id) FROM orc.`{location}`").first()[:] == (2, 6)
    spark.sql("DROP TABLE IF EXISTS from_hive")
    spark.sql(f"CREATE TABLE from_hive (ID INT, name STRING) USING orc LOCATION '{location}'")
    assert spark.sql("SELECT sum(id), max(name) FROM from_hive").first()[:] == (6, "b")
    with pytest.raises(PySparkException) as refused:
        spark.sql("INSERT INTO from_hive VALUES (4, 'd')")
    assert refused.value.getCondition().startswith("UNSUPPORTED_FEATURE")
    assert spark.table("from_hive").count() == 3
    spark.sql("DROP TABLE from_hive")
    with pytest.raises(PySparkException) as refused:
        spark.range(3).write.orc(str(tmp_path / "out"))
    assert refused.value.getCondition().startswith("UNSUPPORTED_FEATURE")
    assert not (tmp_path / "out").exists()


def test_a_damaged_file_is_named(spark, tmp_path):
    write(tmp_path / "t" / "a.orc", id=pyarrow.array(range(100_000)))
    file = tmp_path / "t" / "a.orc"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PySparkException) as damaged:
        spark.read.orc(str(tmp_path / "t")).count()
    assert damaged.value.getCondition() == "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER" and "a.orc" in str(damaged.value)
    # The footer is whole, the rows are not.
    file.write_bytes(b"ORC" + b"\x55" * (len(whole) - 1003) + whole[-1000:])
    with pytest.raises(PySparkException) as damaged:
        spark.read.orc(str(tmp_path / "t")).collect()
    assert damaged.value.getCondition() == "FAILED_READ_FILE.NO_HINT" and "a.orc" in str(damaged.value)
    assert spark.range(3).count() == 3


def test_orc_in_a_bucket(spark, s3, tmp_path):
    write(tmp_path / "up" / "p=1" / "a.orc", id=pyarrow.array(range(10_000)))
    s3.upload(tmp_path / "up", f"orc-{spark.session_id}")
    frame = spark.read.orc(f"s3a://bench/orc-{spark.session_id}")
    assert frame.selectExpr("sum(id)", "sum(p)").first()[:] == (49_995_000, 10_000)
