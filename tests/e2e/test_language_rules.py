"""Rules of types and windows where real Spark 4.3 refuses or names what others let pass."""
import pytest
from pyspark.errors import PySparkException


@pytest.fixture
def pairs(spark):
    spark.createDataFrame([(1, "a"), (2, None)], "i INT, s STRING").createOrReplaceTempView("pairs")
    return spark


@pytest.mark.parametrize("expression, error", [
    ("'true' AND 'false'", "BINARY_OP_WRONG_TYPE"), ("NULL OR 'x'", "BINARY_OP_WRONG_TYPE"),
    ("DATE'2021-02-03' AND 'x'", "BINARY_OP_WRONG_TYPE"), ("-2.7D AND 123.456", "BINARY_OP_WRONG_TYPE"),
    ("true AND 1", "BINARY_OP_DIFF_TYPES"),
    ("'5' & '3'", "BINARY_OP_WRONG_TYPE"), ("'5' & 3.5", "BINARY_OP_WRONG_TYPE"), ("NULL | '1'", "BINARY_OP_WRONG_TYPE"),
    ("1.5D ^ 2.5", "BINARY_OP_WRONG_TYPE"), ("1 & true", "BINARY_OP_DIFF_TYPES"),
    ("' 1 ' + NULL", "BINARY_OP_WRONG_TYPE"), ("NULL / '5.'", "BINARY_OP_WRONG_TYPE"), ("NULL div 'x'", "BINARY_OP_WRONG_TYPE"),
    ("CASE WHEN NULL THEN 1 END", "UNEXPECTED_INPUT_TYPE"), ("CASE WHEN 'true' THEN 1 END", "UNEXPECTED_INPUT_TYPE"),
    ("if('true', 1, 2)", "UNEXPECTED_INPUT_TYPE"),
])
def test_operands_that_are_refused(spark, expression, error):
    with pytest.raises(PySparkException, match=f"DATATYPE_MISMATCH.{error}"):
        spark.sql(f"SELECT {expression}").collect()


def test_operands_that_are_taken(spark):
    row = spark.sql("SELECT 'true' AND true, false OR NULL, '5' & 3, NULL ^ 1Y, if(NULL, 1, 2), NULL AND NULL")
    assert [data_type for _, data_type in row.dtypes] == ["boolean", "boolean", "bigint", "tinyint", "int", "boolean"]
    assert row.collect() == [(True, None, 1, None, 2, None)]


def test_having_casts_to_boolean(pairs):
    having = "SELECT i FROM pairs GROUP BY i HAVING {} ORDER BY i"
    assert pairs.sql(having.format("i - 1")).collect() == [(2,)]
    assert pairs.sql(having.format("'true'")).collect() == [(1,), (2,)]
    with pytest.raises(PySparkException, match="FILTER_NOT_BOOLEAN"):
        pairs.sql("SELECT i FROM pairs WHERE i").collect()


@pytest.mark.parametrize("call, error", [
    ("lag(i) OVER (ORDER BY i ROWS 1 PRECEDING)", "Cannot specify window frame for lag function"),
    ("lead(i) OVER (ORDER BY i RANGE BETWEEN CURRENT ROW AND 1 FOLLOWING)", "Cannot specify window frame for lead function"),
    ("nth_value(i, 0) OVER (ORDER BY i)", "VALUE_OUT_OF_RANGE"), ("nth_value(i, i) OVER (ORDER BY i)", "NON_FOLDABLE_INPUT"),
    ("ntile(0) OVER (ORDER BY i)", "VALUE_OUT_OF_RANGE"), ("ntile(i) OVER (ORDER BY i)", "NON_FOLDABLE_INPUT"),
    ("sum(i) OVER (ORDER BY i, s RANGE BETWEEN 2 FOLLOWING AND 1 FOLLOWING)", "SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON"),
    ("sum(i) OVER (ORDER BY date_add(DATE'2020-01-01', i) RANGE BETWEEN 1.5 PRECEDING AND CURRENT ROW)", "RANGE_FRAME_INVALID_TYPE"),
    ("sum(i) OVER (ORDER BY i ROWS BETWEEN i PRECEDING AND CURRENT ROW)", "INVALID_WINDOW_FRAME_BOUND"),
    ("percentile(i, i)", "NON_FOLDABLE_INPUT"), ("percentile_approx(i, 0.5, 0)", "VALUE_OUT_OF_RANGE"),
    ("percentile_approx(i, NULL)", "UNEXPECTED_NULL"), ("first(i, i)", "should be a boolean literal"),
])
def test_windows_that_are_refused(pairs, call, error):
    with pytest.raises(PySparkException, match=error):
        pairs.sql(f"SELECT {call} FROM pairs").collect()


def test_ignore_nulls_names_the_function_anew(pairs):
    frame = pairs.sql("SELECT last_value(s) IGNORE NULLS OVER (ORDER BY i), last_value(s, true) OVER (ORDER BY i) FROM pairs")
    assert [name.split("(")[0] for name in frame.columns] == ["last", "last_value"]
    assert frame.collect() == [("a", "a"), ("a", "a")]


@pytest.mark.parametrize("expression, error", [
    ("lpad(timestamp'2020-01-01', timestamp'2020-01-01')", "UNEXPECTED_INPUT_TYPE"), ("rpad('a', array(1))", "UNEXPECTED_INPUT_TYPE"),
    ("array_join(1, ',')", "UNEXPECTED_INPUT_TYPE"), ("map(null, 1)", "NULL_MAP_KEY"),
    ("hex(array(1))", "UNEXPECTED_INPUT_TYPE"), ("ceil(interval 1 day)", "UNEXPECTED_INPUT_TYPE"),
    ("bit_count('1')", "UNEXPECTED_INPUT_TYPE"), ("endswith(x'', array(1.5))", "UNEXPECTED_INPUT_TYPE"),
    ("'12' << timestamp'2021-02-03 04:05:06'", "UNEXPECTED_INPUT_TYPE"), ("true << 7", "UNEXPECTED_INPUT_TYPE"),
    ("hash(map(1, 2))", "HASH_MAP_TYPE"), ("map(map('a', 1), 2)", "INVALID_MAP_KEY_TYPE"),
    ("abs(1, x -> x)", "WRONG_NUM_ARGS"), ("abs(x -> x)", "NON_HIGHER_ORDER_FUNCTION"),
    ("1 IS TRUE", "BINARY_OP_DIFF_TYPES"), ("1.5F AND 70000", "BINARY_OP_DIFF_TYPES"), ("1.5F | -2.7D", "BINARY_OP_DIFF_TYPES"),
    ("cast(true AS TIME)", "UNSUPPORTED_TIME_TYPE"), ("to_char(5, '999PRS')", "UNEXPECTED_TOKEN"),
])
def test_arguments_that_are_refused(spark, expression, error):
    with pytest.raises(PySparkException, match=error):
        spark.sql(f"SELECT {expression}").collect()


def test_no_percentages_give_no_percentiles(pairs):
    assert pairs.sql("SELECT percentile(i, array()), percentile_approx(i, array()) FROM pairs").collect() == [(None, None)]
    assert pairs.sql("SELECT array_join(NULL, ',')").collect() == [(None,)]


def test_a_date_that_is_cast_to_a_number_is_null_where_that_may_be(spark):
    spark.conf.set("spark.sql.ansi.enabled", False)
    row = spark.sql("SELECT CAST(DATE'2020-01-01' AS INT), CAST(DATE'2020-01-01' AS BOOLEAN), CAST(DATE'2020-01-01' AS DOUBLE)")
    assert row.collect() == [(None, None, None)]


def test_fields_of_a_union_meet_by_place(spark):
    union = spark.sql("SELECT array(named_struct('a', 1)) s UNION ALL SELECT array(named_struct('b', 2))")
    assert union.schema.simpleString() == "struct<s:array<struct<a:int>>>"
    assert sorted(row.s[0].a for row in union.collect()) == [1, 2]
    for query in ("SELECT named_struct('a', 1) s UNION ALL SELECT named_struct('b', 2L)",
                  "SELECT named_struct('a', 1) s EXCEPT SELECT named_struct('b', 1)"):
        with pytest.raises(PySparkException, match="INCOMPATIBLE_COLUMN_TYPE"):
            spark.sql(query).collect()


def test_peers_of_nested_keys_share_a_frame(spark):
    rows = spark.sql("""SELECT i, sum(i) OVER (ORDER BY array(i)), sum(i) OVER (ORDER BY struct(i) DESC),
        sum(i) OVER (ORDER BY array(i) RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
        FROM VALUES (1), (2), (2), (4), (7), (NULL) t(i) ORDER BY i""").collect()
    assert [tuple(row) for row in rows] == [
        (None, None, 16, 16), (1, 1, 16, 16), (2, 5, 15, 15), (2, 5, 15, 15), (4, 9, 11, 11), (7, 16, 7, 7)]


def test_a_range_over_all_rows_needs_no_order(spark):
    rows = spark.sql("""SELECT last_value(i) IGNORE NULLS OVER (RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
        FROM VALUES (1), (3), (NULL) t(i)""").collect()
    assert rows == [(3,)] * 3


def test_rows_are_laid_out_by_what_is_not_selected(spark, path):
    spark.sql("SELECT id, id % 3 AS p, concat('v', id) AS v FROM range(20)").createOrReplaceTempView("wide")
    for clause in ("DISTRIBUTE BY p", "DISTRIBUTE BY p + 1 SORT BY id", "CLUSTER BY p", "DISTRIBUTE BY p SORT BY p DESC, id"):
        frame = spark.sql(f"SELECT id FROM wide {clause}")
        assert frame.columns == ["id"] and sorted(row.id for row in frame.collect()) == list(range(20)), clause
    rows = spark.sql("SELECT id, spark_partition_id() q FROM (SELECT /*+ REPARTITION(4) */ id FROM wide)").collect()
    assert len(rows) == 20
    parts = spark.sql("SELECT p, collect_set(q) FROM (SELECT p, spark_partition_id() q FROM (SELECT id, p FROM wide DISTRIBUTE BY p)) GROUP BY p")
    assert all(len(places) == 1 for _, places in parts.collect())
    with pytest.raises(PySparkException, match="UNRESOLVED_COLUMN"):
        spark.sql("SELECT id FROM wide DISTRIBUTE BY nope").collect()


def test_no_negative_number_of_rows_is_sampled(pairs):
    with pytest.raises(PySparkException, match="IS_NEGATIVE"):
        pairs.sql("SELECT * FROM pairs TABLESAMPLE (-1 ROWS)").collect()


def test_signs_and_fractions_of_formatted_numbers(spark):
    row = spark.sql("SELECT to_char(0, '999S'), to_char(0, '$99S'), to_number('0', '0.00'), to_number('12.5', '99.00')").collect()[0]
    assert [str(value) for value in row] == ["+   ", "$+  ", "0.00", "12.50"]
