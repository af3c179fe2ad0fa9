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
