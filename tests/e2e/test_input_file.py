"""`_metadata` and `input_file_name()`: which file a row is from."""
import pathlib
import urllib.parse

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F


def quoted(file):
    return urllib.parse.quote(str(file), safe="/=")


@pytest.fixture
def people(spark, path):
    """Two partitions of one file each, in a folder whose name has to be encoded."""
    folder = f"{path}/the people"
    spark.range(4).withColumn("p", F.col("id") % 2).coalesce(1).write.partitionBy("p").parquet(folder)
    files = sorted(pathlib.Path(folder).rglob("*.parquet"))
    assert len(files) == 2
    return spark.read.parquet(folder), {int(f.parent.name[2:]): f for f in files}


def test_metadata_says_which_file_a_row_is_from(people):
    frame, files = people
    rows = frame.select("id", "p", "_metadata.file_path", "_metadata.file_name", "_metadata.file_size",
                        "_metadata.file_block_start", "_metadata.file_block_length", "_metadata.file_modification_time").collect()
    assert sorted(r.id for r in rows) == [0, 1, 2, 3]
    for row in rows:
        file = files[row.p]
        assert row.file_path == "file:" + quoted(file)
        assert (row.file_name, row.file_size) == (file.name, file.stat().st_size)
        assert (row.file_block_start, row.file_block_length) == (0, file.stat().st_size)
        assert abs(row.file_modification_time.timestamp() - file.stat().st_mtime) < 1
    assert frame.where("_metadata.file_size > 0 and p = 1").count() == 2
    name = files[0].name
    # Both files may have the same name, each in its folder.
    wanted = [(0,), (2,)] if name != files[1].name else [(0,), (1,), (2,), (3,)]
    assert frame.where(F.col("_metadata.file_name") == name).select("id").orderBy("id").collect() == wanted
    assert frame.groupBy("_metadata.file_path").count().count() == 2


def test_metadata_is_hidden_and_passes_what_keeps_rows(people):
    frame, files = people
    assert frame.columns == ["id", "p"] and frame.select("*").columns == ["id", "p"]
    names = sorted(f.name for f in files.values() for _ in range(2))
    for passed in [frame.select("id"), frame.orderBy("id"), frame.limit(4), frame.drop("id"), frame.toDF("a", "b"),
                   frame.withColumnRenamed("id", "z"), frame.withColumn("x", F.lit(1)), frame.where("id >= 0"), frame.alias("x")]:
        assert sorted(r[0] for r in passed.select("_metadata.file_name").collect()) == names
    assert frame.alias("x").select("x._metadata.file_name").count() == 4
    assert frame.select("_metadata.*").columns == ["file_path", "file_name", "file_size", "file_block_start", "file_block_length",
                                                  "file_modification_time"]
    assert frame.withColumn("_metadata", F.lit(1)).select("_metadata").distinct().collect() == [(1,)]
    assert frame.select("id", "_metadata.file_name").orderBy(F.desc("_metadata.file_size"), "id").count() == 4


@pytest.mark.parametrize("ask", [
    lambda f: f.alias("x").join(f.alias("y"), "id").select("_metadata.file_name"), lambda f: f.union(f).select("_metadata.file_name"),
    lambda f: f.groupBy("p").count().select("_metadata.file_name"), lambda f: f.sparkSession.range(1).select("_metadata"),
])
def test_where_rows_of_files_mix_there_is_no_metadata(people, ask):
    with pytest.raises(PySparkException) as error:
        ask(people[0]).collect()
    assert error.value.getCondition() == "UNRESOLVED_COLUMN.WITH_SUGGESTION"


def test_input_file_name(spark, people, path):
    frame, files = people
    wanted = sorted((i, "file://" + quoted(files[i % 2])) for i in range(4))
    named = frame.select("id").withColumn("f", F.input_file_name())
    assert sorted(tuple(r) for r in named.collect()) == wanted
    assert named.schema["f"].nullable is False and frame.select(F.input_file_name()).columns == ["input_file_name()"]
    frame.createOrReplaceTempView("people_of_files")
    assert sorted(tuple(r) for r in spark.sql("SELECT id, input_file_name() FROM people_of_files WHERE id >= 0").collect()) == wanted
    blocks = spark.sql(f"SELECT input_file_block_start(), input_file_block_length() FROM parquet.`{path}/the people`").distinct()
    assert {r[0] for r in blocks.collect()} == {0}
    counted = named.groupBy("f").count()
    assert sorted(r["count"] for r in counted.collect()) == [2, 2]
    assert spark.range(1).select(F.input_file_name(), F.expr("input_file_block_start()")).collect() == [("", -1)]
    with pytest.raises(PySparkException) as error:
        frame.alias("x").join(frame.alias("y"), "id").select(F.input_file_name()).collect()
    assert error.value.getCondition() == "MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION"
    with pytest.raises(PySparkException, match="union"):
        frame.union(frame).select(F.input_file_name()).collect()


def test_other_formats(spark, path):
    spark.range(3).coalesce(1).write.json(f"{path}/j")
    spark.range(3).coalesce(1).write.csv(f"{path}/c", header=True)
    for frame in [spark.read.json(f"{path}/j"), spark.read.csv(f"{path}/c", header=True)]:
        rows = frame.select("*", F.input_file_name().alias("f")).where("f like 'file:///%'").collect()
        assert len({r.f for r in rows}) == 1 and len(rows) >= 3
        assert frame.where("input_file_name() like 'file:///%'").count() == len(rows)
        with pytest.raises(PySparkException, match="_metadata"):
            frame.select("_metadata").collect()
    bad = spark.read.schema("id INT, bad STRING").option("columnNameOfCorruptRecord", "bad").json(f"{path}/c")
    assert bad.select(F.input_file_name()).distinct().count() == 1
    text = spark.read.text(f"{path}/j").select(F.input_file_name().alias("f"), "_metadata.file_name").distinct().collect()
    assert [r.f.rsplit("/", 1)[1] for r in text] == [text[0].file_name]
