"""Functions whose answers are easily almost right. Every expected value is what Apache Spark 4.3 answered."""
import pytest
from pyspark.errors import PySparkException


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
