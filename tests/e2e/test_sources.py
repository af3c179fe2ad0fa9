"""Reading files: parquet, csv, json, text, with options, inference and partitions, on local paths and S3."""
import datetime

import pytest
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import functions as F


def rows(frame):
    return sorted((tuple(r) for r in frame.collect()), key=repr)


def test_csv_header_inference_and_options(spark, path):
    open(f"{path}/a.csv", "w").write("id;name;when;amount\n1;ann;2024-01-02;1.5\n2;\"b;ob\";;2\n")
    plain = spark.read.option("header", True).option("sep", ";").csv(f"{path}/a.csv")
    assert plain.dtypes == [("id", "string"), ("name", "string"), ("when", "string"), ("amount", "string")]
    frame = spark.read.csv(f"{path}/a.csv", header=True, sep=";", inferSchema=True)
    assert frame.dtypes == [("id", "int"), ("name", "string"), ("when", "date"), ("amount", "double")]
    assert rows(frame) == [(1, "ann", datetime.date(2024, 1, 2), 1.5), (2, "b;ob", None, 2.0)]
    typed = spark.read.schema("id LONG, name STRING").option("header", True).option("delimiter", ";").csv(f"{path}/a.csv")
    assert rows(typed) == [(1, "ann"), (2, "b;ob")]


def test_json_inference(spark, path):
    open(f"{path}/a.json", "w").write('{"b": 1, "a": "x", "c": {"d": [1, 2]}}\n{"b": 2.5, "e": true}\n')
    frame = spark.read.json(f"{path}/a.json")
    assert frame.dtypes == [("a", "string"), ("b", "double"), ("c", "struct<d:array<bigint>>"), ("e", "boolean")]
    assert rows(frame.select("a", "b", "c.d", "e")) == [("x", 1.0, [1, 2], None), (None, 2.5, None, True)]


def test_text(spark, path):
    open(f"{path}/a.txt", "w").write("one\ntwo\n\n")
    frame = spark.read.text(f"{path}/a.txt")
    assert frame.columns == ["value"]
    assert [r.value for r in frame.collect()] == ["one", "two", ""]


def test_parquet_folder_with_partitions(spark, path):
    source = spark.range(10).withColumn("p", (F.col("id") % 2).cast("int")).withColumn("q", F.lit("x y"))
    source.write.partitionBy("p", "q").parquet(f"{path}/t")
    frame = spark.read.parquet(f"{path}/t")
    assert frame.columns == ["id", "p", "q"] and frame.schema["p"].dataType.simpleString() == "int"
    assert frame.filter("p = 1").count() == 5
    assert rows(frame.filter("p = 0 AND id > 6")) == [(8, 0, "x y")]
    assert spark.sql(f"SELECT count(*) FROM parquet.`{path}/t`").collect()[0][0] == 10


def test_globs_and_many_paths(spark, path):
    for i in range(3):
        spark.range(i, i + 1).write.parquet(f"{path}/part{i}")
    assert spark.read.parquet(f"{path}/part0", f"{path}/part2").count() == 2
    assert spark.read.parquet(f"{path}/part*").count() == 3


@pytest.mark.parametrize("format", ["parquet", "csv", "json"])
def test_round_trip_on_s3(spark, s3, format):
    target = f"s3a://bench/round-{format}-{datetime.datetime.now().timestamp()}"
    spark.range(1000).withColumn("s", F.concat(F.lit("v"), "id")).write.format(format).save(target)
    frame = spark.read.schema("id LONG, s STRING").format(format).load(target)
    assert frame.count() == 1000 and frame.agg(F.sum("id")).collect()[0][0] == 499500


def test_s3_credentials_of_a_session(server, s3):
    spark = server.session()
    spark.range(3).write.mode("overwrite").parquet("s3a://bench/creds")
    spark.conf.set("spark.hadoop.fs.s3a.access.key", "wrong")
    spark.conf.set("spark.hadoop.fs.s3a.secret.key", "wrong")
    with pytest.raises(PySparkException):
        spark.read.parquet("s3a://bench/creds").count()
    other = server.session()
    assert other.read.parquet("s3a://bench/creds").count() == 3


@pytest.mark.parametrize("where,condition", [
    ("/nowhere/at/all", "PATH_NOT_FOUND"), ("s3a://bench/no-such-key", "PATH_NOT_FOUND"),
])
def test_missing_paths(spark, s3, where, condition):
    with pytest.raises(AnalysisException) as error:
        spark.read.parquet(where).count()
    assert error.value.getCondition() == condition


def test_missing_bucket(spark, s3):
    with pytest.raises(PySparkException) as error:
        spark.read.parquet("s3a://no-such-bucket-here/x").count()
    assert "no-such-bucket-here" in str(error.value)


def test_truncated_parquet(spark, path):
    spark.range(1000).coalesce(1).write.parquet(f"{path}/good")
    import glob

    data = open(glob.glob(f"{path}/good/*.parquet")[0], "rb").read()
    open(f"{path}/bad.parquet", "wb").write(data[: len(data) // 2])
    with pytest.raises(PySparkException) as error:
        spark.read.parquet(f"{path}/bad.parquet").count()
    assert "bad.parquet" in str(error.value)
    assert spark.range(3).count() == 3
