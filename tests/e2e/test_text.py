"""Text files: lines, whole files, separators, compression, sizes beyond memory's share, partitions and `_metadata`."""
import gzip

import pytest
from pyspark.sql import functions as F


def test_lines_end_in_every_way_and_empty_ones_stay(spark, tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "a.txt").write_bytes(b"\xef\xbb\xbfone\n\ntwo\r\nthr\xffee\rfour")
    (tmp_path / "t" / "b.txt").write_bytes(b"")
    frame = spark.read.text(str(tmp_path / "t"))
    assert [r.value for r in frame.collect()] == ["one", "", "two", "thr\ufffdee", "four"]
    assert frame.count() == 5 and frame.where("value = ''").count() == 1
    whole = spark.read.text(str(tmp_path / "t"), wholetext=True).select(F.length("value")).collect()
    assert sorted(r[0] for r in whole) == [0, 22]
    separated = spark.read.option("lineSep", "\r").text(str(tmp_path / "t" / "a.txt"))
    assert [r.value for r in separated.collect()] == ["one\n\ntwo", "\nthr\ufffdee", "four"]


def test_large_files_are_read_in_parts(spark, tmp_path):
    """80 MB: more than may travel with a plan."""
    (tmp_path / "t" / "p=1").mkdir(parents=True)
    with open(tmp_path / "t" / "p=1" / "log.txt", "w") as file:
        for start in range(0, 2_000_000, 10_000):
            file.write("".join(f"line {n:07} of a log, and more text\n" for n in range(start, start + 10_000)))
    frame = spark.read.text(str(tmp_path / "t"))
    assert frame.columns == ["value", "p"]
    assert frame.count() == 2_000_000
    numbers = frame.select(F.substring("value", 6, 7).cast("int").alias("n"), "p")
    assert numbers.selectExpr("sum(n)", "count(DISTINCT n)", "min(n)", "max(n)", "sum(p)").first()[:] == (
        1_999_999_000_000, 2_000_000, 0, 1_999_999, 2_000_000)
    assert frame.selectExpr("_metadata.file_name", "_metadata.file_size").distinct().collect()[0][:] == (
        "log.txt", (tmp_path / "t" / "p=1" / "log.txt").stat().st_size)


def test_compressed_text(spark, tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"a\nb\n") + gzip.compress(b"c\n"))
    assert [r.value for r in spark.read.text(str(tmp_path / "a.txt.gz")).collect()] == ["a", "b", "c"]


def test_text_in_a_bucket(spark, s3, tmp_path):
    (tmp_path / "up").mkdir()
    (tmp_path / "up" / "a.txt").write_text("".join(f"{n}\n" for n in range(3_000_000)))
    s3.upload(tmp_path / "up", f"text-{spark.session_id}")
    frame = spark.read.text(f"s3a://bench/text-{spark.session_id}")
    assert frame.selectExpr("sum(CAST(value AS BIGINT))", "count(*)").first()[:] == (4_499_998_500_000, 3_000_000)


def test_words_are_counted(spark, tmp_path):
    (tmp_path / "t.txt").write_text("to be or\nnot to be\n")
    words = spark.read.text(str(tmp_path / "t.txt")).select(F.explode(F.split("value", " ")).alias("word"))
    assert {r.word: r["count"] for r in words.groupBy("word").count().collect()} == {"to": 2, "be": 2, "or": 1, "not": 1}


@pytest.mark.parametrize("option,value", [("encoding", "UTF-16"), ("lineSep", "")])
def test_what_is_not_read_is_refused(spark, tmp_path, option, value):
    (tmp_path / "t.txt").write_text("a\n")
    with pytest.raises(Exception, match="UNSUPPORTED"):
        spark.read.option(option, value).text(str(tmp_path / "t.txt")).collect()
