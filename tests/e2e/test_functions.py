"""Functions whose answers are easily almost right. Every expected value is what Apache Spark 4.3 answered."""
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F


def one(spark, expression):
    return spark.sql(f"SELECT {expression} AS answer").collect()[0][0]


@pytest.mark.parametrize("expression,answer", [
    (r"regexp_replace('a1b2', '(?<=[a-z])\\d', 'X')", "aXbX"),
    (r"regexp_replace('abcabc', '(a)(b)\\1?', '$2$1')", "bacbac"),
    (r"regexp_count('aaa', 'a++a')", 0),
    (r"'x\r\n' RLIKE 'x$'", True),
    (r"regexp_replace('hello', 'l*', '-')", "-h-e--o-"),
    (r"regexp_extract('abc', 'x')", ""),
])
def test_patterns_are_javas(spark, expression, answer):
    assert one(spark, expression) == answer


@pytest.mark.parametrize("expression,answer", [
    ("parse_url('HTTP://H.com/A', 'HOST')", "H.com"),
    ("parse_url('http://h.com/a/../b', 'PATH')", "/a/../b"),
    ("parse_url('https://h.com:443', 'AUTHORITY')", "h.com:443"),
    ("parse_url('http://a_b.com/x', 'HOST')", None),
    ("try_parse_url('http://h.com/a b', 'PATH')", None),
])
def test_a_url_is_taken_apart_as_written(spark, expression, answer):
    assert one(spark, expression) == answer


def test_sessions_that_touch_are_one(spark):
    found = spark.sql(
        "SELECT a, session_window.start AS start, session_window.end AS end, count(*) AS n FROM VALUES "
        "(1, TIMESTAMP_NTZ'2020-01-01 00:00:00'), (1, TIMESTAMP_NTZ'2020-01-01 00:05:00'), "
        "(1, TIMESTAMP_NTZ'2020-01-01 00:10:01'), (2, TIMESTAMP_NTZ'2020-01-01 00:03:00'), (2, NULL) AS t(a, b) "
        "GROUP BY a, session_window(b, '5 minutes') ORDER BY a, start").collect()
    assert [(r.a, r.start.minute, r.end.minute, r.n) for r in found] == [(1, 0, 10, 2), (1, 10, 15, 1), (2, 3, 8, 1)]


def test_a_counter_starts_anew_after_a_reset(spark):
    found = spark.sql(
        "SELECT counter_diff(c) OVER (ORDER BY o) AS grown FROM VALUES (1, 1), (2, NULL), (3, 5), (4, 3), (5, 7) AS t(o, c)"
        " ORDER BY o").collect()
    assert [r.grown for r in found] == [None, None, 4, None, 4]
    with pytest.raises(PySparkException) as error:
        spark.sql("SELECT counter_diff(c) OVER (ORDER BY c) FROM VALUES (-1), (3) AS t(c)").collect()
    assert error.value.getCondition() == "COUNTER_DIFF_NEGATIVE_COUNTER_VALUE"


@pytest.mark.parametrize("expression,answer", [
    ("hex(aes_encrypt('Spark', 'abcdefghijklmnop12345678ABCDEFGH', 'GCM', 'DEFAULT', unhex('000000000000000000000000'),"
     " 'This is an AAD mixed into the input'))", "000000000000000000000000422622FAC4CB9BB283F54719DA79517580DEFCF5F8"),
    ("hex(hmac('key', 'message'))", "6E9EF29B75FFFC5B7ABAE527D58FDADB2FE42E7219011976917343065F58ED4A"),
    ("hex(hmac('key', 'abc', 'md5'))", "D2FE98063F876B03193AFB49B4979591"),
])
def test_codes_are_those_of_the_standards(spark, expression, answer):
    assert one(spark, expression) == answer


def test_numbers_at_the_edge(spark):
    assert one(spark, "ceil(double('NaN'))") == 0
    assert one(spark, "jaro_winkler_similarity('é😀a', 'é😀b')") == pytest.approx(0.8833333333)
    assert str(one(spark, "(SELECT corr(a, b) FROM VALUES (double('Infinity'), 1), (1, 2) AS t(a, b))")) == "nan"
    assert one(spark, "(SELECT approx_count_distinct(a, 0.1) FROM VALUES (1.5), (2.5), (1.5) AS t(a))") == 2
    assert one(spark, "hex((SELECT count_min_sketch(c, 0.5d, 0.5d, 1) FROM VALUES (1), (2), (1) AS t(c)))") == (
        "0000000100000000000000030000000100000004000000005D8D6AB9"
        "0000000000000000000000000000000200000000000000010000000000000000")


def test_inline_rows_of_numbers_and_strings_do_not_meet(spark):
    with pytest.raises(PySparkException) as error:
        spark.sql("SELECT sum(a) FROM VALUES (10), ('3') AS t(a)").collect()
    assert error.value.getCondition() == "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE"


@pytest.mark.parametrize("expression,answer", [
    ("CAST(-7.117298403027867E17D AS STRING)", "-7.1172984030278669E17"),
    ("CAST(CAST(7.64958E10 AS FLOAT) AS STRING)", "7.6495798E10"),
    ("format_string('%.2f|%,d|%(d|%08.3f|%e', 1.005D, 1234567, -5, double('NaN'), 0.0D)", "1.01|1,234,567|(5)|     NaN|0.000000e+00"),
    ("format_string('%s|%x|%g', CAST('1E-10' AS DECIMAL(20,18)), -1, 12345.678D)", "1.00000000E-10|ffffffff|12345.7"),
    ("format_number(-1234.5678D, 0)", "-1,235"),
    ("format_number(CAST(3.4E38 AS FLOAT), 0)", "339,999,995,214,436,420,000,000,000,000,000,000,000"),
])
def test_numbers_are_written_as_java_writes_them(spark, expression, answer):
    assert one(spark, expression) == answer


@pytest.mark.parametrize("expression,answer", [
    ("xxhash64(CAST('12345678901234567890.5' AS DECIMAL(38,5)))", 5820963098696523770),
    ("xxhash64(CAST(1 AS DECIMAL(38,0)))", 6668291691252061002),
    ("xxhash64(INTERVAL '1' DAY)", 5650310968337874586),
    ("xxhash64(INTERVAL '1' MONTH)", -6698625589789238999),
    ("xxhash64(make_interval(1, 2, 3, 4))", -2276548691635096493),
    ("hash(make_interval(1, 2, 3, 4))", 1978471148),
    ("xxhash64(-0.0D)", -5252525462095825812),
    ("xxhash64(float('NaN'))", 2692338816207849720),
    ("xxhash64('Spark', array(123), 2)", 5602566077635097486),
])
def test_hashes_are_those_of_every_type(spark, expression, answer):
    assert one(spark, expression) == answer


@pytest.mark.parametrize("values,least,most", [
    ("(0.0D), (-0.0D)", "0.0", "0.0"),
    ("(-0.0D), (0.0D)", "-0.0", "-0.0"),
    ("(-double('NaN')), (1.0D)", "1.0", "NaN"),
    ("(double('Infinity') - double('Infinity')), (double('-Infinity'))", "-Infinity", "NaN"),
])
def test_the_least_float_knows_no_sign_of_zero_or_nan(spark, values, least, most):
    found = spark.sql(f"SELECT CAST(min(a) AS STRING), CAST(max(a) AS STRING) FROM VALUES {values} AS t(a)").collect()[0]
    assert tuple(found) == (least, most)


@pytest.mark.parametrize("expression,answer", [
    ("array_distinct(array(-0.0D, 0.0D, double('NaN'), -double('NaN')))", "[0.0, NaN]"),
    ("array_union(array(-0.0D), array(0.0D))", "[0.0]"),
    ("greatest(-double('NaN'), 1.0D)", "NaN"),
    ("(SELECT mode(a) FROM VALUES (-0.0D), (0.0D), (-0.0D) AS t(a))", "0.0"),
    ("CAST('-NaN' AS DOUBLE)", "NaN"),
    ("TRY_CAST('0x1p3' AS DOUBLE)", "8.0"),
    ("-CAST('12345678901234567890.123456789012345678' AS DECIMAL(38,18))", "-12345678901234567890.123456789012350000"),
    ("(SELECT percentile(a, array(0.1, 0.9)) FROM VALUES (1), (2), (5), (9), (13), (21), (34), (55), (-89) AS t(a))", "[-17.0, 38.2]"),
    ("(SELECT listagg(DISTINCT a, ',') WITHIN GROUP (ORDER BY a DESC) FROM VALUES ('x'), ('y'), ('x') AS t(a))", "y,x"),
    ("(SELECT sum(a) FROM VALUES (TIMESTAMP'2020-01-01 00:00:00') AS t(a))", "1.5778368E9"),
    ("CAST(concat('ep', 'och') AS TIMESTAMP)", "1970-01-01 00:00:00"),
    ("unix_timestamp(TIMESTAMP'1969-12-31 23:59:59.5')", "0"),
    ("trunc('x', 'nonsense')", None),
    ("width_bucket(double('Infinity'), -10, 10, 5)", "6"),
])
def test_values_that_are_easily_almost_right(spark, expression, answer):
    assert one(spark, f"CAST({expression} AS STRING)") == answer


@pytest.mark.parametrize("query,condition", [
    ("SELECT max(rand())", "AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION"),
    ("SELECT product(a) FROM VALUES (2) AS t(a)", "UNRESOLVED_ROUTINE"),
    ("SELECT greatest(1, '2')", "DATATYPE_MISMATCH.DATA_DIFF_TYPES"),
    ("SELECT coalesce('a', INTERVAL '1' DAY)", "DATATYPE_MISMATCH.DATA_DIFF_TYPES"),
    ("SELECT round(1.5, CAST(id AS INT)) FROM range(1)", "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT"),
    ("SELECT -CAST('99999999999999999999999999999999999999' AS DECIMAL(38,0))", "NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION"),
])
def test_what_spark_refuses_is_refused_alike(spark, query, condition):
    with pytest.raises(PySparkException) as error:
        spark.sql(query).collect()
    assert error.value.getCondition() == condition


def test_a_product_is_for_data_frames(spark):
    from pyspark.sql import functions as F

    assert spark.range(1, 4).select(F.product("id")).collect()[0][0] == 6.0


def test_values_nest_deep_without_being_written_twice(spark):
    query = "coalesce(" * 60 + "nullif(id, 0)" + ", id)" * 60
    assert [r[0] for r in spark.range(2).selectExpr(query).collect()] == [0, 1]


@pytest.mark.parametrize("rows, answer", [
    (3, (3, 3, 3)), (100, (103, 98, 89)), (450, (437, 446, 536)), (3000, (2770, 3069, 2992)), (40000, (39323, 39377, 27543)),
])
def test_distinct_values_are_estimated_as_spark_does(spark, rows, answer):
    by = F.approx_count_distinct("id"), F.approx_count_distinct(F.col("id").cast("string"), 0.02), \
        F.approx_count_distinct(F.col("id").cast("int"), 0.2)
    assert tuple(spark.range(0, rows, 1, 3).agg(*by).first()) == answer


def test_a_sum_of_hundreds_of_columns_is_planned(spark):
    wide = spark.range(2).select(*(F.lit(n).alias(f"c{n}") for n in range(400)))
    total = F.expr(" + ".join(wide.columns))
    assert wide.select(total.alias("s")).distinct().collect() == [(399 * 400 // 2,)]


def test_lateral_joins_of_one_column_do_not_double_the_plan(spark):
    piece = ", LATERAL (SELECT max(id) AS m{0} FROM range(30) WHERE id < k) AS s{0}"
    rows = spark.sql("SELECT * FROM range(1, 4) AS r(k)" + "".join(piece.format(n) for n in range(12))).collect()
    assert sorted(rows) == [(k, *[k - 1] * 12) for k in (1, 2, 3)]
    chain = "".join(f", LATERAL (SELECT max(id) AS m{n} FROM range(30) WHERE id < {'k' if n == 0 else f'm{n - 1}'}) AS s{n}"
                    for n in range(20))
    with pytest.raises(PySparkException, match="UNSUPPORTED_FEATURE"):
        spark.sql("SELECT * FROM range(1, 4) AS r(k)" + chain).collect()
