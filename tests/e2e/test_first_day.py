"""A data engineer's first day with PySpark: the DataFrame verbs, unmodified client, both set-ups."""
import datetime
import decimal

import pytest
from pyspark.sql import Row, Window
from pyspark.sql import functions as F


@pytest.fixture
def people(spark):
    return spark.createDataFrame(
        [(1, "ann", 30, "a"), (2, "bob", None, "b"), (3, "cid", 25, "a"), (4, None, 41, "c")],
        "id INT, name STRING, age INT, team STRING")


def rows(frame):
    return sorted((tuple(r) for r in frame.collect()), key=repr)


def test_hello(spark):
    assert spark.version.startswith("4.")
    assert spark.sql("SELECT 1 AS one, 'x' AS x").collect() == [Row(one=1, x="x")]
    assert spark.range(5).count() == 5


def test_select_filter_with_column(people):
    frame = people.filter(F.col("age") > 26).withColumn("next", F.col("age") + 1).select("name", "next")
    assert rows(frame) == [("ann", 31), (None, 42)]


def test_group_by_and_pivot(people):
    frame = people.groupBy("team").agg(F.count("*").alias("n"), F.avg("age").alias("age"))
    assert rows(frame) == [("a", 2, 27.5), ("b", 1, None), ("c", 1, 41.0)]
    pivot = people.groupBy().pivot("team", ["a", "b"]).agg(F.count("id"))
    assert rows(pivot) == [(2, 1)]


@pytest.mark.parametrize("how,want", [
    ("inner", [(1, "ann", "red")]), ("left", [(1, "ann", "red"), (2, "bob", None)]),
    ("right", [(1, "ann", "red"), (3, None, "blue")]),
    ("outer", [(1, "ann", "red"), (2, "bob", None), (3, None, "blue")]),
    ("left_semi", [(1, "ann")]), ("left_anti", [(2, "bob")]),
])
def test_join_of_every_kind(spark, how, want):
    left = spark.createDataFrame([(1, "ann"), (2, "bob")], ["id", "name"])
    right = spark.createDataFrame([(1, "red"), (3, "blue")], ["id", "color"])
    assert rows(left.join(right, "id", how)) == sorted(want, key=repr)


def test_cross_join_and_self_join(spark):
    numbers = spark.range(3)
    assert numbers.crossJoin(numbers).count() == 9
    other = numbers.withColumn("twice", F.col("id") * 2)
    joined = numbers.alias("a").join(other.alias("b"), F.col("a.id") == F.col("b.twice"))
    assert rows(joined.select("a.id", "b.id")) == [(0, 0), (2, 1)]
    renamed = spark.range(3).withColumnRenamed("id", "other")
    assert rows(numbers.join(renamed, numbers["id"] == renamed["other"]).select(numbers["id"])) == [(0,), (1,), (2,)]


def test_union_distinct_order_limit(spark):
    frame = spark.range(3).union(spark.range(2)).distinct().orderBy(F.desc("id")).limit(2)
    assert [r.id for r in frame.collect()] == [2, 1]
    assert spark.range(2).unionByName(spark.range(3)).dropDuplicates(["id"]).count() == 3


def test_window_functions(people):
    window = Window.partitionBy("team").orderBy("id")
    frame = people.select("id", F.row_number().over(window).alias("n"), F.lag("id").over(window).alias("before"))
    assert rows(frame) == [(1, 1, None), (2, 1, None), (3, 2, 1), (4, 1, None)]


def test_explode_and_nested_types(spark):
    frame = spark.createDataFrame([(1, [10, 20], {"k": 1.5}), (2, [], {})], "id INT, a ARRAY<INT>, m MAP<STRING, DOUBLE>")
    assert rows(frame.select("id", F.explode("a"))) == [(1, 10), (1, 20)]
    assert rows(frame.select("id", F.explode_outer("a"))) == [(1, 10), (1, 20), (2, None)]
    assert frame.collect()[0].m == {"k": 1.5}


def test_sample_and_statistics(spark):
    frame = spark.range(1000)
    assert 300 < frame.sample(0.5, seed=1).count() < 700
    table = {r.summary: r.id for r in frame.describe("id").collect()}
    assert table["count"] == "1000" and table["max"] == "999"
    assert frame.stat.corr("id", "id") == pytest.approx(1.0)


def test_na_functions(people):
    assert rows(people.na.drop().select("id")) == [(1,), (3,)]
    assert people.na.fill({"name": "?", "age": 0}).filter("name = '?' OR age = 0").count() == 2
    assert people.na.replace("ann", "ANN").filter("name = 'ANN'").count() == 1


def test_create_data_frame_from_pandas(spark):
    import pandas

    source = pandas.DataFrame({"i": [1, 2], "s": ["x", None], "t": pandas.to_datetime(["2024-01-01", "2024-06-01"])})
    frame = spark.createDataFrame(source)
    assert frame.dtypes == [("i", "bigint"), ("s", "string"), ("t", "timestamp")]
    back = frame.toPandas()
    assert back["i"].tolist() == [1, 2] and back["t"].tolist() == source["t"].tolist()


def test_values_of_every_type_survive(spark):
    row = (True, 1, 2, 3, 4, 1.5, 2.5, decimal.Decimal("1.10"), "s", bytearray(b"b"), datetime.date(2024, 2, 29),
           datetime.datetime(2024, 2, 29, 12, 30, 1, 5), [1, None], {"a": 1}, Row(x=1, y="z"), None)
    ddl = ("b BOOLEAN, y TINYINT, h SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, n DECIMAL(10,2), s STRING, x BINARY, "
           "dt DATE, ts TIMESTAMP, a ARRAY<INT>, m MAP<STRING,INT>, r STRUCT<x: INT, y: STRING>, v INT")
    frame = spark.createDataFrame([row], ddl)
    got = frame.collect()[0]
    assert tuple(got) == row
    assert frame.select([c for c in frame.columns]).toArrow().num_rows == 1


def test_many_rows_come_back_in_order_and_whole(spark):
    frame = spark.range(300_000).orderBy("id")
    values = frame.toPandas()["id"]
    assert len(values) == 300_000 and values.is_monotonic_increasing
    assert spark.range(10).take(3) == [Row(id=0), Row(id=1), Row(id=2)]
    assert spark.range(10).tail(2) == [Row(id=8), Row(id=9)]


def test_show_print_schema_and_explain(spark, capsys):
    frame = spark.sql("SELECT 1 AS a, 'long text that is cut somewhere' AS b, NULL AS c")
    frame.show()
    assert capsys.readouterr().out == (
        "+---+--------------------+----+\n|  a|                   b|   c|\n+---+--------------------+----+\n"
        "|  1|long text that is...|NULL|\n+---+--------------------+----+\n\n")
    frame.printSchema()
    assert "|-- a: integer (nullable = false)" in capsys.readouterr().out
    frame.explain()
    assert "== Physical Plan ==" in capsys.readouterr().out


def test_temp_views_and_parameters(spark, people):
    people.createOrReplaceTempView("people")
    assert spark.sql("SELECT name FROM people WHERE id = :id", {"id": 1}).collect() == [Row(name="ann")]
    assert spark.sql("SELECT name FROM people WHERE id = ?", [2]).collect() == [Row(name="bob")]
    assert spark.catalog.tableExists("people")
    spark.catalog.dropTempView("people")
    assert not spark.catalog.tableExists("people")


def test_commands_take_parameters(spark):
    spark.sql("DROP TABLE IF EXISTS given")
    spark.sql("CREATE TABLE given (id INT, name STRING, at DATE) USING parquet")
    spark.sql("INSERT INTO given VALUES (:id, :name, :at)", {"id": 7, "name": "it's", "at": datetime.date(2024, 2, 29)})
    spark.sql("INSERT INTO given SELECT ?, ?, NULL", [8, None])
    assert [tuple(r) for r in spark.table("given").orderBy("id").collect()] == [
        (7, "it's", datetime.date(2024, 2, 29)), (8, None, None)]
    assert [r.tableName for r in spark.sql("SHOW TABLES LIKE :pattern", {"pattern": "giv*"}).collect()] == ["given"]
    with pytest.raises(Exception, match="UNBOUND_SQL_PARAMETER"):
        spark.sql("INSERT INTO given VALUES (:id, :name, NULL)", {"id": 9})
    spark.sql("DROP TABLE given")


def test_subqueries_in_subqueries_end(spark):
    def nested(levels):
        return spark.sql("SELECT " + "(SELECT " * levels + "1" + ")" * levels).collect()
    assert nested(12)[0][0] == 1
    with pytest.raises(Exception, match="UNSUPPORTED"):
        nested(60)


def test_lambdas_in_lambdas_end(spark):
    def nested(levels):
        text = "array(1)"
        for level in range(levels):
            text = f"transform(array(1), x{level} -> {text})"
        return spark.sql(f"SELECT size({text})").collect()
    assert nested(10)[0][0] == 1
    with pytest.raises(Exception, match="UNSUPPORTED"):
        nested(60)


def test_sessions_are_apart(server):
    first, second = server.session(), server.session()
    first.range(1).createOrReplaceTempView("only_here")
    first.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    assert not second.catalog.tableExists("only_here")
    assert second.conf.get("spark.sql.session.timeZone") != "Asia/Tokyo"


def test_wide_plans_of_many_verbs(spark):
    frame = spark.range(3)
    for i in range(60):
        frame = frame.withColumn(f"c{i}", F.col("id") + i)
    assert frame.agg(F.sum("c59")).collect()[0][0] == 180
