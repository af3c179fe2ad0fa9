"""File sources against Spark's documented behaviour: bad records, compression, Avro, what is refused by name."""
import datetime
import decimal
import glob
import gzip
import json
import os

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F


def plain(value):
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


def rows(frame):
    return sorted(map(plain, frame.collect()), key=repr)


CSV = "id,when\n1,2024-01-02\nx,2024-01-03\n3,soon\n4\n5,2024-01-05,more\n\n"


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_bad_records_of_csv(spark, path, ending):
    with (gzip.open if ending else open)(f"{path}/a.csv{ending}", "wt") as file:
        file.write(CSV)
    reader = spark.read.schema("id INT, when DATE, _corrupt_record STRING").option("header", True)
    day = datetime.date
    assert rows(reader.csv(path)) == sorted([
        (1, day(2024, 1, 2), None), (None, day(2024, 1, 3), "x,2024-01-03"), (3, None, "3,soon"), (4, None, "4"),
        (5, day(2024, 1, 5), "5,2024-01-05,more")], key=repr)
    named = spark.read.schema("id INT, bad STRING, when DATE").option("columnNameOfCorruptRecord", "bad")
    assert [r.bad for r in named.option("header", True).csv(path).where("id = 3").collect()] == ["3,soon"]
    bare = spark.read.schema("id INT, when DATE").option("header", True)
    assert rows(bare.option("mode", "DROPMALFORMED").csv(path)) == [(1, day(2024, 1, 2))]
    with pytest.raises(PySparkException):
        bare.option("mode", "FAILFAST").csv(path).collect()
    wrong = spark.read.schema("id INT, _corrupt_record INT").option("header", True)
    with pytest.raises(PySparkException, match="INVALID_CORRUPT_RECORD_TYPE"):
        wrong.csv(path).collect()


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_bad_records_of_json(spark, path, ending):
    lines = ['{"a": 1, "t": {"at": "2024-01-02"}}', '{"a": "x", "t": {"at": "2024-01-03"}}', "{broken", "  ", '{"a": 4}']
    with (gzip.open if ending else open)(f"{path}/a.json{ending}", "wt") as file:
        file.write("\n".join(lines) + "\n")
    schema = "a INT, t STRUCT<at: DATE>"
    day = datetime.date
    kept = spark.read.schema(f"{schema}, _corrupt_record STRING").json(path)
    assert rows(kept) == sorted([
        (1, (day(2024, 1, 2),), None), (None, (day(2024, 1, 3),), lines[1]), (None, None, lines[2]), (4, None, None)],
        key=repr)
    dropped = spark.read.schema(schema).option("mode", "DROPMALFORMED").json(path)
    assert rows(dropped) == sorted([(1, (day(2024, 1, 2),)), (4, None)], key=repr)
    with pytest.raises(PySparkException):
        spark.read.schema(schema).option("mode", "FAILFAST").json(path).collect()
    inferred = spark.read.json(path)
    assert inferred.columns == ["_corrupt_record", "a", "t"]
    assert inferred.where("_corrupt_record IS NOT NULL").select("_corrupt_record").collect() == [("{broken",)]


def test_compressed_text_is_read_whole_whatever_its_members(spark, path):
    with open(f"{path}/a.txt.gz", "wb") as file:
        file.write(gzip.compress(b"one\ntwo\n") + gzip.compress(b"three\n"))
    assert [r.value for r in spark.read.text(path).collect()] == ["one", "two", "three"]
    spark.range(1000).select("id", F.lit("x").alias("s")).write.option("compression", "gzip").csv(f"{path}/c")
    back = spark.read.schema("id LONG, s STRING").csv(f"{path}/c")
    assert back.agg(F.count("*"), F.sum("id")).collect() == [(1000, 499500)]
    back.join(spark.range(500), "id").write.parquet(f"{path}/joined")
    assert spark.read.parquet(f"{path}/joined").count() == 500
    os.mkdir(f"{path}/b")
    open(f"{path}/b/a.csv.bz2", "wb").write(b"")
    with pytest.raises(PySparkException, match="bz2"):
        spark.read.schema("a INT").csv(f"{path}/b").collect()


@pytest.mark.parametrize("codec", ["snappy", "uncompressed", "deflate", "zstandard", "bzip2", "xz"])
def test_avro_comes_back_as_it_was(spark, path, codec):
    frame = spark.sql("""
        SELECT id, CAST(id % 100 AS TINYINT) AS t, CAST(id AS SMALLINT) AS h, CAST(id AS INT) AS i, CAST(id AS FLOAT) AS f, id / 3 AS d,
               CAST(id AS DECIMAL(12, 3)) / 7 AS n, IF(id % 2 = 0, NULL, concat('ä', id)) AS s, encode('x', 'utf-8') AS b,
               DATE'1960-02-29' AS dt, TIMESTAMP'1960-02-29 01:02:03.000004' AS ts, TIMESTAMP_NTZ'2024-01-01 00:00:00' AS tn,
               array(id, NULL) AS a, map('k', id, 'l', NULL) AS m, named_struct('x', id, 'y', array('z')) AS st
        FROM range(5000)""")
    frame.write.format("avro").option("compression", codec).save(f"{path}/a")
    names = sorted(os.path.basename(f) for f in glob.glob(f"{path}/a/part-*"))
    assert names and all(name.endswith("-c000.avro") for name in names)
    back = spark.read.format("avro").load(f"{path}/a")
    # Avro has no whole numbers below INT.
    wide = frame.withColumn("t", F.col("t").cast("int")).withColumn("h", F.col("h").cast("int"))
    assert back.dtypes == wide.dtypes
    assert rows(back.where("id < 50")) == rows(wide.where("id < 50"))
    assert back.agg(F.sum("id"), F.count("s")).collect() == [(12497500, 2500)]


def test_avro_files_hold_what_the_format_says(spark, path):
    spark.sql("SELECT 7L AS id, CAST(NULL AS STRING) AS s, 'hi' AS u").write.format("avro") \
        .option("compression", "uncompressed").save(f"{path}/a")
    (file,) = glob.glob(f"{path}/a/part-*.avro")
    content = open(file, "rb").read()
    assert content[:4] == b"Obj\x01"
    at, meta = 4, {}

    def whole():
        nonlocal at
        shift = value = 0
        while True:
            byte = content[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return (value >> 1) ^ -(value & 1)

    def take(count):
        nonlocal at
        at += count
        return content[at - count: at]

    while count := whole():
        for _ in range(abs(count)):
            key = take(whole()).decode()
            meta[key] = take(whole())
    schema = json.loads(meta["avro.schema"])
    assert schema["name"] == "topLevelRecord" and [f["name"] for f in schema["fields"]] == ["id", "s", "u"]
    sync = take(16)
    assert (whole(), whole() > 0) == (1, True)
    values = []
    for field in schema["fields"]:
        branch = field["type"][whole()] if isinstance(field["type"], list) else field["type"]
        values.append(None if branch == "null" else whole() if branch == "long" else take(whole()).decode())
    assert values == [7, None, "hi"] and take(16) == sync and at == len(content)


@pytest.mark.parametrize("frame,text", [
    ("SELECT map(1, 2) AS m", "m"), ("SELECT INTERVAL '1' DAY AS i", "i"), ("SELECT 1 AS `a b`", "a b"),
])
def test_what_avro_cannot_hold_is_named(spark, path, frame, text):
    with pytest.raises(PySparkException) as error:
        spark.sql(frame).write.format("avro").save(f"{path}/a")
    assert text in str(error.value) and not os.path.exists(f"{path}/a")


def test_files_by_name_and_age(spark, path):
    for name, day in (("a.json", 1), ("b.json", 2), ("c.txt", 3)):
        open(f"{path}/{name}", "w").write(f'{{"n": {day}}}\n')
        at = datetime.datetime(2024, 1, day, 12, tzinfo=datetime.timezone.utc).timestamp()
        os.utime(f"{path}/{name}", (at, at))

    def found(**options):
        return rows(spark.read.options(**options).schema("n INT").json(path))

    assert found(pathGlobFilter="*.json") == [(1,), (2,)]
    assert found(modifiedAfter="2024-01-01T12:00:00") == [(2,), (3,)]
    assert found(modifiedBefore="2024-01-02T12:00:00") == [(1,)]
    assert found(modifiedBefore="2024-01-02T12:00:00", modifiedAfter="2024-01-01 11:00:00") == [(1,)]
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    assert found(modifiedAfter="2024-01-02T21:00:00") == [(3,)]


@pytest.mark.parametrize("format,option,value", [
    ("csv", "ignoreCorruptFiles", "true"), ("parquet", "ignoreMissingFiles", "true"), ("avro", "avroSchema", "{}"),
    ("json", "encoding", "UTF-16"), ("csv", "enforceSchema", "false"),
])
def test_what_is_not_done_is_refused_by_name(spark, path, format, option, value):
    spark.range(3).write.format("parquet").save(f"{path}/p")
    with pytest.raises(PySparkException, match=f"(?i){option}"):
        spark.read.format(format).option(option, value).load(f"{path}/p").collect()


def test_records_of_a_file_are_bounded(spark, path):
    spark.range(1000).repartition(1).write.option("maxRecordsPerFile", 300).parquet(f"{path}/a")
    names = sorted(os.path.basename(f) for f in glob.glob(f"{path}/a/part-*"))
    assert [name.rsplit("-c", 1)[1][:3] for name in names] == ["000", "001", "002", "003"]
    assert os.path.exists(f"{path}/a/_SUCCESS") and spark.read.parquet(f"{path}/a").count() == 1000
    with pytest.raises(PySparkException):
        spark.range(3).write.bucketBy(2, "id").save(f"{path}/b")


def test_only_partitions_written_to_are_replaced(spark, path):
    frame = spark.range(100).withColumn("p", F.col("id") % 4)
    frame.write.partitionBy("p").parquet(f"{path}/a")
    some = frame.where("p = 1").limit(3)
    some.write.partitionBy("p").mode("overwrite").option("partitionOverwriteMode", "dynamic").parquet(f"{path}/a")
    assert rows(spark.read.parquet(f"{path}/a").groupBy("p").count()) == [(0, 25), (1, 3), (2, 25), (3, 25)]
    some.write.partitionBy("p").mode("overwrite").parquet(f"{path}/a")
    assert rows(spark.read.parquet(f"{path}/a").groupBy("p").count()) == [(1, 3)]


def test_schemas_are_merged(spark, path):
    spark.sql("SELECT 1 AS a, 'x' AS b").write.parquet(f"{path}/t/k=1")
    spark.sql("SELECT 2 AS a, 1.5BD AS c").write.parquet(f"{path}/t/k=2")
    merged = spark.read.option("mergeSchema", True).parquet(f"{path}/t")
    assert merged.dtypes == [("a", "int"), ("b", "string"), ("c", "decimal(2,1)"), ("k", "int")]
    assert rows(merged) == [(1, "x", None, 1), (2, None, decimal.Decimal("1.5"), 2)]
