"""DataFrame operations that SQL has no words for, against the examples of PySpark's documentation."""
import decimal

import pytest
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import Observation, Row
from pyspark.sql import functions as F


def rows(frame):
    return sorted((tuple(r) for r in frame.collect()), key=repr)


def test_transpose_names_columns_by_a_column_in_its_order(spark):
    frame = spark.createDataFrame([("B", 3, 4), ("A", 1, 2), (None, 5, 6)], ["id", "val1", "val2"])
    turned = frame.transpose()
    assert turned.columns == ["key", "A", "B"]
    assert rows(turned) == [("val1", 1, 3), ("val2", 2, 4)]
    with pytest.raises(AnalysisException, match="TRANSPOSE_NO_LEAST_COMMON_TYPE"):
        frame.transpose(frame.val1).collect()
    with pytest.raises(AnalysisException, match="TRANSPOSE_INVALID_INDEX_COLUMN"):
        spark.createDataFrame([([1], 2)], ["a", "b"]).transpose().collect()


def test_frequent_items_and_crosstab(spark):
    frame = spark.createDataFrame([(1, 11), (1, 11), (3, 10), (4, 8), (4, 8)], ["c1", "c2"])
    items = frame.freqItems(["c1", "c2"]).collect()[0]
    assert [sorted(values) for values in items] == [[1, 3, 4], [8, 10, 11]]
    assert items.__fields__ == ["c1_freqItems", "c2_freqItems"]
    many = spark.range(1000).select(F.when(F.col("id") < 600, F.lit(-1)).otherwise(F.col("id")).alias("x"))
    assert many.freqItems(["x"], 0.5).collect()[0][0] == [-1]
    table = frame.crosstab("c1", "c2")
    assert table.columns == ["c1_c2", "10", "11", "8"]
    assert rows(table) == [("1", 0, 2, 0), ("3", 1, 0, 0), ("4", 0, 0, 2)]


def test_a_pivoted_count_of_nothing_is_null(spark):
    frame = spark.createDataFrame([(1, "x"), (2, "y")], ["k", "v"])
    assert rows(frame.groupBy("k").pivot("v").count()) == [(1, 1, None), (2, None, 1)]
    assert rows(frame.groupBy("k").pivot("v").agg(F.collect_list("k"))) == [(1, [1], []), (2, [], [2])]


def test_as_of_join_takes_the_nearest_row(spark):
    left = spark.createDataFrame([(1, "a"), (5, "b"), (10, "c")], ["a", "left_val"])
    right = spark.createDataFrame([(1, 1), (2, 2), (3, 3), (6, 6), (7, 7)], ["a", "right_val"])

    def joined(**how):
        frame = left._joinAsOf(right, leftAsOfColumn="a", rightAsOfColumn="a", **how)
        return rows(frame.select(left.a, "left_val", "right_val"))

    assert joined() == [(1, "a", 1), (10, "c", 7), (5, "b", 3)]
    assert joined(tolerance=F.lit(1)) == [(1, "a", 1)]
    assert joined(how="left", tolerance=F.lit(1)) == [(1, "a", 1), (10, "c", None), (5, "b", None)]
    assert joined(allowExactMatches=False) == [(10, "c", 7), (5, "b", 3)]
    assert joined(direction="forward") == [(1, "a", 1), (5, "b", 6)]
    with pytest.raises(AnalysisException, match="TOLERANCE_IS_NON_NEGATIVE"):
        joined(tolerance=F.lit(-1))


def test_nearest_by_join_takes_the_best_rows(spark):
    users = spark.createDataFrame([(1, 10.0), (2, 20.0), (3, 30.0)], ["user_id", "score"])
    products = spark.createDataFrame([("A", 11.0), ("B", 22.0), ("C", 5.0)], ["product", "pscore"])
    distance = F.abs(users.score - products.pscore)
    best = users.nearestByJoin(products, -distance, 1, "exact", "similarity").select("user_id", "product")
    assert rows(best) == [(1, "A"), (2, "B"), (3, "B")]
    two = users.nearestByJoin(products, distance, 2, "exact", "distance").select("user_id", "product")
    assert rows(two) == [(1, "A"), (1, "C"), (2, "A"), (2, "B"), (3, "A"), (3, "B")]


def test_records_in_a_column_of_text(spark):
    lines = spark.createDataFrame(
        [('{"name": "Alice", "age": 25}',), ('[{"name": "Bob"}, {"age": null, "tall": true}]',), (" ",)], "value STRING")
    frame = spark.read.json(lines)
    assert frame.dtypes == [("age", "bigint"), ("name", "string"), ("tall", "boolean")]
    assert rows(frame) == [(25, "Alice", None), (None, "Bob", None), (None, None, True)]
    assert rows(spark.read.schema("name STRING").json(lines)) == [("Alice",), ("Bob",), (None,)]


def test_rows_are_numbered_without_gaps(spark):
    numbered = spark.range(1000).repartition(4).zipWithIndex()
    assert sorted(r["index"] for r in numbered.collect()) == list(range(1000))


def test_a_column_pattern_leaves_columns_out(spark):
    frame = spark.createDataFrame([("a", 1, 2)], ["Col1", "Col2", "Col11"])
    assert frame.select(frame.colRegex("`(Col1)?+.+`")).columns == ["Col2", "Col11"]


def test_meaning_sees_rows_and_files(spark, path):
    one, other = spark.createDataFrame([(1,)], ["a"]), spark.createDataFrame([(2,)], ["a"])
    assert one.sameSemantics(spark.createDataFrame([(1,)], ["a"])) and not one.sameSemantics(other)
    assert not spark.range(10).sameSemantics(spark.range(5))
    spark.range(10).persist()
    assert not spark.range(5).storageLevel.useMemory and spark.range(10).storageLevel.useMemory
    spark.range(10).unpersist()
    one.repartition(1).write.parquet(f"{path}/one")
    files = spark.read.parquet(f"{path}/one").inputFiles()
    assert len(files) == 1 and files[0].endswith(".parquet")


def test_observed_metrics_arrive_with_the_rows(spark):
    frame = spark.createDataFrame([(2, "Alice"), (5, "Bob")], schema=["age", "name"])
    observation = Observation("my metrics")
    assert frame.observe(observation, F.count(F.lit(1)).alias("count"), F.max("age")).count() == 2
    assert observation.get == {"count": 2, "max(age)": 5}


def test_a_watermark_changes_no_row_without_a_stream(spark):
    frame = spark.sql("SELECT TIMESTAMP '2024-01-01 00:00:00' AS t, 1 AS a").withWatermark("t", "10 minutes")
    assert frame.count() == 1
    with pytest.raises(AnalysisException, match="EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE"):
        frame.withWatermark("a", "1 minute").collect()


def test_python_functions_are_refused_clearly(spark):
    with pytest.raises(PySparkException, match="UNSUPPORTED_FEATURE"):
        spark.range(1).select(F.udf(lambda x: x, "bigint")("id")).collect()
    with pytest.raises(PySparkException, match="UNSUPPORTED_FEATURE"):
        spark.range(1).groupBy("id").applyInPandas(lambda pdf: pdf, "id bigint").collect()


def test_merge_into_a_table_of_files_is_refused_as_in_spark(spark):
    spark.sql("CREATE TABLE merged (k BIGINT) USING parquet")
    try:
        merge = spark.range(1).alias("s").mergeInto("merged", F.expr("merged.k = s.id")).whenMatched().delete()
        with pytest.raises(PySparkException, match="UNSUPPORTED_FEATURE.TABLE_OPERATION"):
            merge.merge()
    finally:
        spark.sql("DROP TABLE merged")


def test_local_rows_keep_their_schema(spark):
    frame = spark.createDataFrame([Row(a=1, b=Row(x=[1.5]))])
    assert frame.schema.simpleString() == "struct<a:bigint,b:struct<x:array<double>>>"
    assert spark.createDataFrame([], "name STRING, age INT").schema.simpleString() == "struct<name:string,age:int>"


def test_a_wanted_schema_finds_fields_by_name(spark):
    frame = spark.createDataFrame([(1, Row(x="1", y="u"))], "i INT, s STRUCT<x: STRING, y: STRING>")
    wanted = spark.createDataFrame([], "s STRUCT<y: STRING, x: STRING, z: INT>, i BIGINT").schema
    assert frame.to(wanted).collect() == [Row(s=Row(y="u", x="1", z=None), i=1)]
    with pytest.raises(AnalysisException, match="INVALID_COLUMN_OR_FIELD_DATA_TYPE"):
        frame.to(spark.createDataFrame([], "i BOOLEAN").schema).collect()


def test_replacing_compares_whole_values(spark):
    frame = spark.createDataFrame([(1, 1.0), (2, float("nan"))], "a INT, d DOUBLE")
    assert rows(frame.na.replace(1.5, 9.0).select("a")) == [(1,), (2,)]
    assert rows(frame.na.replace(float("nan"), 0.0)) == [(1, 1.0), (2, 0.0)]
    assert rows(frame.na.replace(1, 7).select("a")) == [(2,), (7,)]


def test_decimals_of_python_keep_their_digits(spark):
    frame = spark.range(1).select(F.lit(decimal.Decimal("1.20")).alias("x"))
    assert frame.dtypes == [("x", "decimal(3,2)")] and frame.collect()[0].x == decimal.Decimal("1.20")


def test_unpivoted_columns_must_have_a_common_type(spark):
    frame = spark.createDataFrame([(1, "a", 2.5)], ["id", "s", "d"])
    assert rows(frame.unpivot("id", ["id", "d"], "var", "val")) == [(1, "d", 2.5), (1, "id", 1.0)]
    with pytest.raises(AnalysisException, match="UNPIVOT_VALUE_DATA_TYPE_MISMATCH"):
        frame.unpivot("id", ["s", "d"], "var", "val").collect()


def test_a_union_by_name_fills_missing_fields(spark):
    one = spark.createDataFrame([(Row(x=1, y="u"),)], "s STRUCT<x: INT, y: STRING>")
    other = spark.createDataFrame([(Row(y="b", z=2),)], "s STRUCT<y: STRING, z: INT>")
    both = one.unionByName(other, allowMissingColumns=True)
    assert both.dtypes == [("s", "struct<x:int,y:string,z:int>")]
    assert rows(both) == [(Row(x=1, y="u", z=None),), (Row(x=None, y="b", z=2),)]
