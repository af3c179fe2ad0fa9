"""Writing files and tables: save modes, partitions, the warehouse, inserts; nothing half-written."""
import pathlib

import pytest
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import functions as F


def rows(frame):
    return sorted((tuple(r) for r in frame.collect()), key=repr)


def visible(path):
    return sorted(p.name for p in pathlib.Path(path).rglob("*") if p.is_file() and not p.name.startswith(("_", ".")))


@pytest.mark.parametrize("format", ["parquet", "csv", "json"])
def test_save_modes(spark, path, format):
    target = f"{path}/t"
    read = lambda: sorted(int(r.id) for r in spark.read.schema("id LONG").format(format).load(target).collect())
    spark.range(3).write.format(format).save(target)
    assert read() == [0, 1, 2]
    with pytest.raises(AnalysisException) as error:
        spark.range(3).write.format(format).save(target)
    assert error.value.getCondition() == "PATH_ALREADY_EXISTS"
    spark.range(5).write.format(format).mode("ignore").save(target)
    assert read() == [0, 1, 2]
    spark.range(10, 11).write.format(format).mode("append").save(target)
    assert read() == [0, 1, 2, 10]
    spark.range(7, 8).write.format(format).mode("overwrite").save(target)
    assert read() == [7]
    assert (pathlib.Path(target) / "_SUCCESS").exists() and not list(pathlib.Path(target).glob("_temporary*"))


def test_file_names_are_sparks(spark, path):
    spark.range(4).coalesce(1).write.parquet(f"{path}/flat")
    [name] = visible(f"{path}/flat")
    assert name.startswith("part-00000-") and name.endswith("-c000.snappy.parquet")
    spark.range(4).withColumn("p", F.lit(None).cast("string")).write.partitionBy("p").csv(f"{path}/parts", header=True)
    assert all(n.endswith(".csv") for n in visible(f"{path}/parts"))
    assert (pathlib.Path(path) / "parts" / "p=__HIVE_DEFAULT_PARTITION__").is_dir()


def test_many_partitions_write_in_parallel_and_whole(spark, path):
    frame = spark.range(200_000).repartition(8).withColumn("p", F.col("id") % 7)
    frame.write.partitionBy("p").parquet(f"{path}/t")
    back = spark.read.parquet(f"{path}/t")
    assert back.agg(F.count("*"), F.sum("id"), F.countDistinct("id")).collect()[0] == (200_000, 19999900000, 200_000)


def test_a_failing_write_leaves_nothing(spark, path):
    frame = spark.range(1000).repartition(4).withColumn("x", F.when(F.col("id") == 777, F.raise_error(F.lit("boom"))).otherwise(F.col("id").cast("string")))
    with pytest.raises(PySparkException):
        frame.write.parquet(f"{path}/t")
    assert visible(path) == []


def test_overwrite_that_fails_keeps_the_old_rows(spark, path):
    spark.range(3).write.parquet(f"{path}/t")
    with pytest.raises(PySparkException):
        spark.range(3).select((1 / (F.col("id") - 1)).alias("id")).write.mode("overwrite").parquet(f"{path}/t")
    assert spark.read.parquet(f"{path}/t").count() == 3


@pytest.fixture
def database(spark, request):
    name = "db_" + request.node.name.split("[")[0][-30:] + ("_l" if "local" in request.node.name else "_c")
    spark.sql(f"DROP DATABASE IF EXISTS {name} CASCADE")
    spark.sql(f"CREATE DATABASE {name}")
    spark.sql(f"USE {name}")
    yield name
    spark.sql(f"DROP DATABASE IF EXISTS {name} CASCADE")


def test_tables_in_the_warehouse(server, spark, database):
    spark.sql("CREATE TABLE t (id INT, name STRING) USING parquet")
    spark.sql("INSERT INTO t VALUES (1, 'a'), (2, NULL)")
    spark.createDataFrame([(3, "c")], "id INT, name STRING").write.insertInto("t")
    assert rows(spark.table("t")) == [(1, "a"), (2, None), (3, "c")]
    spark.sql("INSERT OVERWRITE t SELECT 9, 'z'")
    assert rows(server.session().table(f"{database}.t")) == [(9, "z")]
    spark.range(3).write.saveAsTable("u")
    spark.range(3).write.mode("append").saveAsTable("u")
    assert spark.table("u").count() == 6
    with pytest.raises(AnalysisException) as error:
        spark.range(3).write.saveAsTable("u")
    assert error.value.getCondition() == "TABLE_OR_VIEW_ALREADY_EXISTS"
    assert {r.tableName for r in spark.sql("SHOW TABLES").collect()} == {"t", "u"}


def test_ctas_and_partitioned_insert(spark, database):
    spark.sql("CREATE TABLE p USING parquet PARTITIONED BY (k) AS SELECT id, id % 2 AS k FROM range(10)")
    assert spark.sql("SELECT count(*) FROM p WHERE k = 1").collect()[0][0] == 5
    spark.sql("INSERT OVERWRITE p PARTITION (k = 1) SELECT 100L")
    assert rows(spark.sql("SELECT id FROM p WHERE k = 1")) == [(100,)]
    assert spark.table("p").count() == 6


def test_store_assignment_is_ansi(spark, database):
    spark.sql("CREATE TABLE s (i INT) USING parquet")
    with pytest.raises(PySparkException):
        spark.sql("INSERT INTO s VALUES ('abc')").collect()
    with pytest.raises(PySparkException):
        spark.sql("INSERT INTO s SELECT 3000000000L").collect()
    assert spark.table("s").count() == 0
