"""Which partition a row is in, and how many files a write makes: `repartition`, `coalesce`, their hints, and what counts from them.

Partition numbers are those real Spark 4.3 gives.
"""
import glob

import pyarrow.parquet as pq
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F


def files(spark, folder, frame):
    """The ids in each file, in the order of the files' names."""
    frame.write.mode("overwrite").parquet(folder)
    names = sorted(glob.glob(f"{folder}/part-*"))
    return [[row.id for row in spark.read.parquet(name).select("id").collect()] for name in names]


def places(frame):
    return [row.p for row in frame.select("id", F.spark_partition_id().alias("p")).orderBy("id").collect()]


@pytest.fixture
def stored(spark, path):
    """Twenty ids in four files: read by executors where there are some."""
    spark.range(0, 20, 1, 4).write.parquet(f"{path}/stored")
    return spark.read.parquet(f"{path}/stored")


def test_rows_go_where_spark_sends_them(spark):
    ids = spark.range(0, 20, 1, 4)
    assert places(ids) == [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5
    assert places(ids.repartition(3, "id")) == [1, 2, 2, 0, 2, 2, 0, 0, 2, 2, 2, 0, 1, 1, 1, 2, 0, 2, 1, 1]
    text = ids.repartition(3, F.col("id").cast("string"))
    assert places(text) == [0, 0, 2, 1, 0, 0, 0, 0, 1, 0, 2, 0, 1, 0, 1, 1, 1, 0, 2, 0]
    assert places(ids.coalesce(3)) == [0] * 5 + [1] * 5 + [2] * 10
    assert places(ids.coalesce(9)) == places(ids)
    assert places(ids.repartitionByRange(3, F.desc("id"))) == [2] * 6 + [1] * 7 + [0] * 7
    assert sorted(set(places(ids.repartition(3)))) == [0, 1, 2]
    assert set(places(ids.repartition(1))) == {0}


def test_hints_lay_rows_out(spark):
    def hinted(hint):
        return places(spark.sql(f"SELECT /*+ {hint} */ id FROM range(0, 20, 1, 4)"))

    assert sorted(set(hinted("REPARTITION(3)"))) == [0, 1, 2]
    assert hinted("REPARTITION(3, id)") == places(spark.range(20).repartition(3, "id"))
    assert hinted("COALESCE(2)") == [0] * 10 + [1] * 10
    assert hinted("REPARTITION_BY_RANGE(2, id)") == [0] * 10 + [1] * 10
    assert len(hinted("REBALANCE(id)")) == len(hinted("unknown(7)")) == 20
    for hint, error in {
        "COALESCE": "COALESCE Hint expects a partition number",
        "COALESCE(id)": "COALESCE Hint expects a partition number",
        "REPARTITION(0)": "must be positive",
        "REPARTITION(1.5)": "can not be recognized as either partitionNum or columns",
        "REPARTITION(3, nope)": "UNRESOLVED_COLUMN.WITH_SUGGESTION",
    }.items():
        with pytest.raises(PySparkException, match=error):
            hinted(hint)


def test_a_write_makes_a_file_of_each_partition(spark, path, stored):
    assert len(files(spark, f"{path}/a", stored.coalesce(1))) == 1
    assert len(files(spark, f"{path}/b", stored.coalesce(1).where("id <> 3").withColumn("x", F.expr("id * 2")))) == 1
    spread = files(spark, f"{path}/c", stored.repartition(3))
    assert len(spread) == 3 and sorted(sum(spread, [])) == list(range(20))
    parity = files(spark, f"{path}/d", stored.repartition(5, F.col("id") % 2))
    assert sorted(map(sorted, filter(None, parity))) == [list(range(0, 20, 2)), list(range(1, 20, 2))]
    ranges = files(spark, f"{path}/e", stored.repartitionByRange(4, "id"))
    assert [sorted(part) for part in ranges] == [list(range(first, first + 5)) for first in (0, 5, 10, 15)]
    sorted_parts = files(spark, f"{path}/f", stored.repartition(3, "id").sortWithinPartitions(F.desc("id")))
    assert len(sorted_parts) == 3 and all(part == sorted(part, reverse=True) for part in sorted_parts)
    assert sorted(sum(sorted_parts, [])) == list(range(20))


def test_distributed_rows_make_one_file_in_each_folder(spark, path, stored):
    spark.sql(f"CREATE TABLE laid (id BIGINT, p BIGINT) USING parquet PARTITIONED BY (p) LOCATION '{path}/laid'")
    stored.createOrReplaceTempView("stored")
    spark.sql("INSERT INTO laid SELECT id, id % 3 FROM stored DISTRIBUTE BY id % 3")
    assert [len(glob.glob(f"{path}/laid/p={p}/part-*")) for p in range(3)] == [1, 1, 1]
    spark.sql("DROP TABLE laid")


def test_repartitioned_rows_are_all_there_on_every_path(spark, stored):
    for frame in (stored.repartition(7), stored.repartition(7, "id"), stored.repartitionByRange(7, "id"), stored.coalesce(2)):
        assert frame.agg(F.sum("id"), F.count("*")).collect()[0] == (190, 20)
        assert frame.where("id > 17").count() == 2
        assert frame.join(stored, "id").count() == 20


def test_a_sort_within_partitions_sorts_no_more(spark):
    down = [row.id for row in spark.range(0, 20, 1, 4).sortWithinPartitions(F.desc("id")).collect()]
    assert down == [first + less for first in (0, 5, 10, 15) for less in (4, 3, 2, 1, 0)]


def test_random_numbers_of_every_partition_are_sparks(spark):
    rows = spark.range(0, 6, 1, 3).select(F.rand(42), F.randn(42)).collect()
    assert [tuple(round(v, 9) for v in row) for row in rows] == [
        (0.61918937, 2.384479054), (0.509601884, 0.192093404), (0.801753243, 1.102705448),
        (0.656555295, 0.572104462), (0.798533469, 0.292143473), (0.867961729, 0.360085648)]
    rows = spark.sql("SELECT id, rand(7), spark_partition_id(), monotonically_increasing_id() FROM range(0, 10, 3, 2)")
    assert [(r[0], round(r[1], 9), r[2], r[3]) for r in rows.collect()] == [
        (0, 0.281881215, 0, 0), (3, 0.459988190, 0, 1), (6, 0.483650854, 1, 8589934592), (9, 0.734216417, 1, 8589934593)]


def test_rows_go_to_the_partitions_they_say(spark):
    ids = spark.range(10).select("id", F.when(F.col("id") < 9, (F.col("id") % 4).cast("int")).alias("part"))
    assert places(ids.repartitionById(3, "part")) == [0, 1, 2, 0, 0, 1, 2, 0, 0, 0]
    with pytest.raises(PySparkException, match="DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"):
        ids.repartitionById(3, "id").collect()


def test_a_limit_leaves_rows_the_partitions_they_were_in(spark, stored):
    ids = spark.range(10, numPartitions=5).select("id", F.spark_partition_id().alias("p"))
    assert [row.p for row in ids.limit(8).collect()] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [row.p for row in ids.withColumn("q", F.col("p") + 1).take(4)] == [0, 0, 1, 1]
    numbers = stored.select(F.monotonically_increasing_id().alias("n")).limit(20).collect()
    assert len({row.n for row in numbers}) == 20


def test_numbers_drawn_before_a_shuffle_are_those_of_their_partitions(spark, path):
    """A stage whose output is spread by hash has other partitions than its tasks read."""
    spark.range(0, 40000, 1, 4).select("id", (F.col("id") % 7).alias("who")).write.parquet(f"{path}/numbers")
    drawn = spark.read.parquet(f"{path}/numbers").select(
        "id", "who", F.monotonically_increasing_id().alias("n"), F.spark_partition_id().alias("p"), F.rand().alias("r"), F.expr("uuid()").alias("u"))
    of_parts = drawn.groupBy("p").agg(F.countDistinct("n"), F.min("n"), F.max("n"), F.count("*")).collect()
    assert len(of_parts) > 1 and sum(row[4] for row in of_parts) == 40000
    for part, distinct, least, most, count in of_parts:
        assert (distinct, least, most) == (count, part << 33, (part << 33) + count - 1)
    for spread in (drawn, drawn.repartition(3, "who"), drawn.join(spark.range(40000), "id"), drawn.distinct()):
        found = spread.agg(F.countDistinct("n"), F.countDistinct("r"), F.countDistinct("u")).first()
        assert found[0] == found[2] == 40000 and found[1] > 39990
    # A seed draws the same rows again; and as in Spark, each side of a union has numbers of its own.
    assert len({drawn.where("rand(4) < 0.1").agg(F.sum("id")).first()[0] for _ in range(4)}) == 1
    assert drawn.union(drawn).groupBy("n").count().where("count <> 2").count() == 0


@pytest.fixture
def events(spark, path):
    """Rows in no order, in several files."""
    mixed = ((F.col("id") * 7919) % 100003).alias("at")
    spark.range(0, 100000, 1, 4).select((F.col("id") % 7).alias("who"), mixed).write.parquet(f"{path}/events")
    return spark.read.parquet(f"{path}/events")


def test_rows_of_files_come_in_the_order_of_files(spark, path):
    spark.range(0, 200000, 1, 7).write.parquet(f"{path}/ordered")
    stored = spark.read.parquet(f"{path}/ordered")
    for _ in range(3):
        ids = [row.id for row in stored.where("id % 5 = 0").collect()]
        assert ids == sorted(ids) and len(ids) == 40000
        assert tuple(stored.agg(F.first("id"), F.last("id")).first()) == (0, 199999)
        assert [row.id for row in stored.where("id >= 100000").limit(2).collect()] == [100000, 100001]


def test_aggregates_see_the_order_of_a_sort_below_them(spark, events):
    ends = (F.min("at"), F.max("at"), F.first("at"), F.last("at"), F.collect_list("at"))
    for order, swapped in ((F.asc("at"), False), (F.desc("at"), True)):
        rows = events.orderBy(order).where("at >= 0").groupBy("who").agg(*ends).collect()
        assert len(rows) == 7
        for who, least, most, first, last, every in rows:
            assert (first, last) == ((most, least) if swapped else (least, most)), who
            assert every == sorted(every, reverse=swapped) and len(every) > 14_000
    events.createOrReplaceTempView("events")
    text = "SELECT first(at) = max(at), last(at) = min(at) FROM (SELECT * FROM events ORDER BY at DESC)"
    assert tuple(spark.sql(text).first()) == (True, True)


def test_sorted_rows_are_written_and_numbered_in_their_order(spark, events, path):
    def written(frame, folder):
        frame.write.parquet(f"{path}/{folder}")
        names = sorted(glob.glob(f"{path}/{folder}/**/part-*", recursive=True))
        return [pq.ParquetFile(name).read(["at"])["at"].to_pylist() for name in names]

    rows = sum(written(events.orderBy(F.desc("at")), "all"), [])
    assert rows == sorted(rows, reverse=True) and len(rows) == 100000
    for part in written(events.repartition(3, "who").sortWithinPartitions("at"), "parts"):
        assert part == sorted(part)
    names = [row.at for row in events.orderBy("at").coalesce(1).selectExpr("explode(array(at)) AS at").collect()]
    assert names == sorted(names)
    first = events.repartition(3, "who").sortWithinPartitions(F.desc("at")).groupBy("who").agg(F.first("at"), F.max("at"))
    assert all(found == most for _, found, most in first.collect())
    latest = events.orderBy(F.desc("at")).dropDuplicates(["who"]).collect()
    most = {row.who: row.most for row in events.groupBy("who").agg(F.max("at").alias("most")).collect()}
    assert {row.who: row["at"] for row in latest} == most
    numbered = events.orderBy("at").withColumn("n", F.monotonically_increasing_id()).orderBy("n").select("at").collect()
    assert numbered == sorted(numbered)
