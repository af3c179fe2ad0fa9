"""`unionByName` and `df.to`: names, nested names, order, nulls and errors, as real Spark 4.3 has them."""
import pytest
from pyspark.errors import PySparkException


@pytest.fixture
def query(spark):
    return lambda text: spark.sql(f"SELECT {text}")


def shown(frame):
    return frame.schema.simpleString(), sorted((row.asDict(True) for row in frame.collect()), key=repr)


def test_columns_of_the_first_side_come_first(query):
    both = query("1 AS b, 2 AS a").unionByName(query("3 AS c, 4 AS A, 5 AS d"), True)
    assert both.schema.simpleString() == "struct<b:int,a:int,c:int,d:int>"
    assert [field.nullable for field in both.schema] == [True, False, True, True]
    assert sorted(both.collect(), key=repr) == [(1, 2, None, None), (None, 4, 3, 5)]


@pytest.mark.parametrize("left, right, schema, rows", [
    ("array(named_struct('a', 1, 'b', 2)) AS s", "array(named_struct('b', 1, 'c', 2)) AS s",
     "struct<s:array<struct<a:int,b:int,c:int>>>",
     [{"s": [{"a": 1, "b": 2, "c": None}]}, {"s": [{"a": None, "b": 1, "c": 2}]}]),
    ("named_struct('n', array(named_struct('a', 1))) AS s", "named_struct('m', 1, 'n', array(named_struct('c', 2))) AS s",
     "struct<s:struct<n:array<struct<a:int,c:int>>,m:int>>",
     [{"s": {"n": [{"a": 1, "c": None}], "m": None}}, {"s": {"n": [{"a": None, "c": 2}], "m": 1}}]),
    ("CAST(NULL AS STRUCT<a: INT>) AS s", "named_struct('b', 1) AS s", "struct<s:struct<a:int,b:int>>",
     [{"s": None}, {"s": {"a": None, "b": 1}}]),
    ("named_struct('a', 1) AS s", "named_struct('b', 1L, 'a', 2L) AS s", "struct<s:struct<a:bigint,b:bigint>>",
     [{"s": {"a": 1, "b": None}}, {"s": {"a": 2, "b": 1}}]),
    ("map('k', named_struct('a', 1, 'b', 2)) AS s", "map('k', named_struct('b', 1, 'c', 2)) AS s",
     "struct<s:map<string,struct<a:int,b:int>>>", [{"s": {"k": {"a": 1, "b": 2}}}] * 2),
])
def test_missing_fields_of_structs_are_null(query, left, right, schema, rows):
    assert shown(query(left).unionByName(query(right), True)) == (schema, sorted(rows, key=repr))


def test_structs_meet_by_name_also_where_nothing_may_be_missing(query):
    left = query("1 AS x, named_struct('a', 1, 'b', 's') AS s")
    right = query("named_struct('b', 't', 'a', 3) AS s, 2 AS x")
    assert shown(left.unionByName(right))[1] == [
        {"x": 1, "s": {"a": 1, "b": "s"}}, {"x": 2, "s": {"a": 3, "b": "t"}}]


@pytest.mark.parametrize("left, right, missing, error", [
    ("1 AS a, 2 AS b", "1 AS a, 2 AS c", False, 'Cannot resolve column name "b" among (a, c)'),
    ("1 AS a", "1 AS a, 2 AS c", False, "NUM_COLUMNS_MISMATCH"),
    ("named_struct('a', 1) AS s", "named_struct('b', 1) AS s", False, "No such struct field `a` in `b`"),
    ("named_struct('a', 1) AS s", "named_struct('a', 1, 'b', 2) AS s", False, "INCOMPATIBLE_COLUMN_TYPE"),
    ("1 AS a, 2 AS A", "3 AS a", True, "The column `a` already exists"),
    ("1 AS a", "3 AS a, 4 AS a", True, "The column `a` already exists"),
    ("named_struct('a', 1) AS s", "1 AS s", True, "INCOMPATIBLE_COLUMN_TYPE"),
])
def test_what_cannot_be_united(query, left, right, missing, error):
    with pytest.raises(PySparkException) as failed:
        query(left).unionByName(query(right), missing).collect()
    assert error in str(failed.value)


def test_a_union_by_name_is_no_sql(spark):
    with pytest.raises(PySparkException, match="PARSE_SYNTAX_ERROR.*'BY'"):
        spark.sql("SELECT 1 AS a UNION ALL BY NAME SELECT 2 AS a")


@pytest.mark.parametrize("given, wanted, row", [
    ("array(named_struct('a', 1, 'b', 2))", "array(named_struct('b', 1L, 'z', CAST(NULL AS INT)))", [{"b": 2, "z": None}]),
    ("map('k', named_struct('a', 1, 'b', 2))", "map('x', named_struct('b', 1L))", {"k": {"b": 2}}),
    ("map(1, array(named_struct('a', 1)))", "map('x', array(named_struct('a', 'b')))", {"1": [{"a": "1"}]}),
])
def test_a_frame_takes_a_schema(query, given, wanted, row):
    schema = query(f"{wanted} AS s").schema
    frame = query(f"{given} AS s").to(schema)
    assert frame.schema == schema and frame.collect()[0].asDict(True) == {"s": row}


@pytest.mark.parametrize("given, wanted, error", [
    ("array(named_struct('a', 1))", "array(named_struct('z', 1))", "`z` cannot be resolved with the struct-type column `s`.`element`"),
    ("array(1, NULL)", "array(1)", "NOT_NULL_CONSTRAINT_VIOLATION.ARRAY_ELEMENT"),
    ("map(1, NULL)", "map(1, 2)", "NOT_NULL_CONSTRAINT_VIOLATION.MAP_VALUE"),
    ("named_struct('a', CAST(NULL AS INT))", "named_struct('a', 1)", "`s`.`a` is nullable"),
    ("array(array('x'))", "array(array(1))", '`s`.`element`.`element` is of type "STRING"'),
    ("array(named_struct('a', 1, 'A', 2))", "array(named_struct('a', 1))", "`s`.`element`.`a` is ambiguous and has 2 matches"),
])
def test_what_a_schema_refuses(query, given, wanted, error):
    with pytest.raises(PySparkException) as failed:
        query(f"{given} AS s").to(query(f"{wanted} AS s").schema).collect()
    assert error in str(failed.value)
