"""Every type of Spark that PostgreSQL can hold, read back through PostgreSQL; and what it cannot hold, refused by name."""
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from jdbc import leftovers, name_of, read, write

# Spark's value, the column's type in an existing table, the text PostgreSQL shows.
VALUES = [
    ("true", "boolean", "true"),
    ("-128Y", "smallint", "-128"), ("127Y", "integer", "127"), ("32767S", "smallint", "32767"),
    ("-2147483648", "integer", "-2147483648"), ("9223372036854775807L", "bigint", "9223372036854775807"),
    ("12L", "integer", "12"), ("12L", "numeric(5,2)", "12.00"), ("12", "text", "12"),
    ("CAST('-0.0' AS FLOAT)", "real", "-0"), ("CAST('NaN' AS DOUBLE)", "double precision", "NaN"),
    ("CAST('-Infinity' AS DOUBLE)", "double precision", "-Infinity"), ("1.5F", "double precision", "1.5"),
    ("1.7976931348623157E308D", "double precision", "1.7976931348623157e+308"),
    ("4.9E-324D", "double precision", "5e-324"),
    ("CAST('99999999999999999999999999999999999999' AS DECIMAL(38,0))", "numeric",
     "99999999999999999999999999999999999999"),
    ("CAST('-0.00000000000000000000000000000000000001' AS DECIMAL(38,38))", "numeric",
     "-0.00000000000000000000000000000000000001"),
    ("CAST('1.25' AS DECIMAL(10,2))", "numeric(4,1)", "1.3"), ("CAST('10.00' AS DECIMAL(10,2))", "bigint", "10"),
    ("CAST('NaN' AS DOUBLE)", "numeric", "NaN"), ("1E-7D", "numeric", "0.0000001"), ("1E22D", "numeric", "10000000000000000000000"),
    ("'ä€😀\\\\N\\t\\n'", "text", "ä€😀\\N\t\n"), ("''", "varchar(3)", ""), ("'abc  '", "varchar(3)", "abc"),
    ("'ab'", "char(4)", "ab  "), ("'x'", '"char"', "x"), ("'name'", "name", "name"), ("'Ci'", "text COLLATE \"C\"", "Ci"),
    ("X'00FF10'", "bytea", "\\x00ff10"), ("X''", "bytea", "\\x"),
    ("DATE '0001-01-01'", "date", "0001-01-01"), ("DATE '9999-12-31'", "date", "9999-12-31"),
    ("DATE '1969-12-31'", "timestamp", "1969-12-31 00:00:00"),
    ("TIMESTAMP '1900-01-01 00:00:00.000001Z'", "timestamptz", "1900-01-01 00:00:00.000001+00"),
    ("TIMESTAMP '2024-03-31 02:30:00+02:00'", "timestamp", "2024-03-31 00:30:00"),
    ("TIMESTAMP_NTZ '9999-12-31 23:59:59.999999'", "timestamp", "9999-12-31 23:59:59.999999"),
    ("TIMESTAMP_NTZ '2024-01-01 01:02:03.987654'", "timestamp(0)", "2024-01-01 01:02:04"),
    ("INTERVAL '1 02:03:04.000005' DAY TO SECOND", "interval", "26:03:04.000005"),
    ("INTERVAL '-13' MONTH", "interval", "-1 years -1 mons"),
    ("'00000000-0000-0000-0000-00000000000A'", "uuid", "00000000-0000-0000-0000-00000000000a"),
    ("'{\"a\": [1, null]}'", "jsonb", '{"a": [1, null]}'), ("'{\"a\":  1}'", "json", '{"a":  1}'),
    ("'10.0.0.1'", "inet", "10.0.0.1"), ("'10.1.0.0/16'", "inet", "10.1.0.0/16"), ("'10.1.0.0/16'", "cidr", "10.1.0.0/16"),
    ("'2001:db8::/32'", "cidr", "2001:db8::/32"), ("'::1'", "inet", "::1"), ("'08:00:2b:01:02:03'", "macaddr", "08:00:2b:01:02:03"),
    ("'(1,2)'", "point", "(1,2)"), ("'[1,5)'", "int4range", "[1,5)"), ("'<a>b</a>'", "xml", "<a>b</a>"),
    ("'12:30:00+02'", "timetz", "12:30:00+02"), ("'101'", "bit(3)", "101"), ("'$1,234.50'", "money", "$1,234.50"),
    ("'b'", "mood", "b"), ("'fat cat'", "tsvector", "'cat' 'fat'"), ("7", "positive", "7"),
    ("array(1, null, 3)", "integer[]", "{1,NULL,3}"), ("array(1, 2)", "bigint[]", "{1,2}"), ("array()", "text[]", "{}"),
    ("array('a', 'b\"', '')", "text[]", '{a,"b\\"",""}'), ("array(array(1, 2), array(3, null))", "integer[]", "{{1,2},{3,NULL}}"),
    ("array('b', 'a')", "mood[]", "{b,a}"), ("array(1.50BD)", "numeric(6,1)[]", "{1.5}"),
    ("array('{1,2}')", "jsonb", None),
    ("named_struct('a', 1, 'b', CAST(NULL AS STRING))", "jsonb", '{"a": 1, "b": null}'),
    ("map('k', array(1, 2))", "jsonb", '{"k": [1, 2]}'), ("map(1, 'x')", "text", '{"1":"x"}'),
    ("array(named_struct('t', TIMESTAMP '2020-01-01 00:00:00.123456Z'))", "jsonb",
     '[{"t": "2020-01-01T00:00:00.123456Z"}]'),
    ("parse_json('{\"v\": [1, 2.5, \"x\"]}')", "jsonb", '{"v": [1, 2.5, "x"]}'),
    ("NULL", "integer", None), ("CAST(NULL AS STRING)", "uuid", None),
]


@pytest.fixture(scope="session")
def types(postgres):
    postgres.rows("DROP TYPE IF EXISTS mood CASCADE; CREATE TYPE mood AS ENUM ('a', 'b'); "
                  "DROP DOMAIN IF EXISTS positive CASCADE; CREATE DOMAIN positive AS INT CHECK (VALUE > 0); "
                  "SET lc_monetary = 'C'")
    return postgres


@pytest.fixture
def table(types, request):
    name = name_of(request)
    types.rows(f'DROP TABLE IF EXISTS "{name}" CASCADE')
    yield name
    assert leftovers(types) == []
    types.rows(f'DROP TABLE IF EXISTS "{name}" CASCADE')


def test_values_arrive_in_the_columns_own_types(spark, types, table):
    """All in one row of one table, and once more as the only writer, whose rows take the other way."""
    values = [v for v in VALUES if v[0] != "array('{1,2}')"]
    postgres = types
    postgres.rows(f"CREATE TABLE {table} ({', '.join(f'c{i} {t}' for i, (_, t, _) in enumerate(values))})")
    frame = spark.sql("SELECT " + ", ".join(f"{v} AS c{i}" for i, (v, _, _) in enumerate(values)))
    write(frame, postgres, table)
    shown = postgres.rows("SET TimeZone = 'UTC'; SELECT 1") and postgres.rows(
        "SELECT " + ", ".join(f"c{i}::text" for i in range(len(values))) + f" FROM {table}")[0]
    wrong = [(v, t, expected, got) for (v, t, expected), got in zip(values, shown) if got != expected
             and not (t == "char(4)" and got == "ab") and not (t == "timestamptz" and got is not None)]
    assert wrong == []


def test_new_tables_take_sparks_types(spark, types, table):
    frame = spark.sql("""SELECT true AS bo, 1Y AS by, 1S AS sh, 1 AS i, 1L AS l, 1.0F AS f, 1.0D AS d, 1.5BD AS n, 'x' AS s,
        X'01' AS bi, DATE '2020-01-01' AS da, TIMESTAMP '2020-01-01 00:00:00Z' AS ts, TIMESTAMP_NTZ '2020-01-01 00:00:00' AS tn,
        array(1) AS a, array(array('x')) AS aa, map('k', 1) AS m, named_struct('x', 1) AS st, parse_json('1') AS v,
        INTERVAL '1' DAY AS dt, INTERVAL '1' YEAR AS ym""")
    write(frame, types, table)
    got = types.rows(f"SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute "
                     f"WHERE attrelid = '{table}'::regclass AND attnum > 0 ORDER BY attnum")
    assert got == [
        ("bo", "boolean"), ("by", "smallint"), ("sh", "smallint"), ("i", "integer"), ("l", "bigint"), ("f", "real"),
        ("d", "double precision"), ("n", "numeric(2,1)"), ("s", "text"), ("bi", "bytea"), ("da", "date"),
        ("ts", "timestamp with time zone"), ("tn", "timestamp without time zone"), ("a", "integer[]"), ("aa", "text[]"),
        ("m", "jsonb"), ("st", "jsonb"), ("v", "jsonb"), ("dt", "interval"), ("ym", "interval")]
    assert types.rows(f"SELECT m->>'k', st->>'x', v::text, aa[1][1], dt::text, ym::text FROM {table}") == [
        ("1", "1", "1", "x", "24:00:00", "1 year")]


@pytest.mark.parametrize("value,sql_type,shown", [
    ("40000", "smallint", "40000"), ("9223372036854775807L", "integer", "9223372036854775807"), ("1.5D", "integer", "1.5"),
    ("CAST(1E300 AS DOUBLE)", "real", "1e300"), ("CAST(1000 AS DECIMAL(10,0))", "numeric(4,2)", "1000"),
    ("CAST(99.999 AS DECIMAL(10,3))", "numeric(4,2)", "99.999"), ("12345.0D", "numeric(4,2)", "12345"),
    ("'abcd'", "varchar(3)", "abcd"), ("'abcde'", "char(4)", "abcde"), ("'a\\0b'", "text", "a"), ("'no'", "uuid", "no"),
    ("'300.1.1.1'", "inet", "300.1.1.1"), ("'10.0.0.1/8'", "cidr", "10.0.0.1/8"), ("'\"a\\\\u0000\"'", "jsonb", "u0000"),
    ("array(array(1), array(2, 3))", "integer[]", "[1]"), ("array(1, 40000)", "smallint[]", "40000"),
    ("CAST(NULL AS INT)", "integer NOT NULL", "NULL"), ("array('abcd')", "varchar(3)[]", "abcd"),
])
def test_what_does_not_fit_names_column_row_and_value(spark, types, table, value, sql_type, shown):
    types.rows(f"CREATE TABLE {table} (k INT, kept {sql_type.replace(' NOT NULL', '')}, bad {sql_type})")
    frame = spark.sql(f"SELECT 1 AS k, {value} AS bad")
    for options in ({}, {"numPartitions": 1}):
        with pytest.raises(PySparkException) as error:
            write(frame, types, table, **options)
        assert "bad" in str(error.value) and "row 0" in str(error.value) and shown in str(error.value), str(error.value)
        assert error.value.getSqlState()
    assert types.rows(f"SELECT count(*) FROM {table}") == [(0,)]


@pytest.mark.parametrize("value,sql_type", [
    ("1", "boolean"), ("true", "integer"), ("X'00'", "text"), ("'x'", "integer"), ("1", "date"), ("DATE '2020-01-01'", "integer"),
    ("array(1)", "integer"), ("1", "integer[]"), ("1", "jsonb"),
])
def test_types_that_cannot_be_stored_are_refused_before_any_row(spark, types, table, value, sql_type):
    types.rows(f"CREATE TABLE {table} (c {sql_type})")
    with pytest.raises(PySparkException) as error:
        write(spark.sql(f"SELECT {value} AS c"), types, table)
    assert "`c`" in str(error.value) or "column c" in str(error.value)
    assert types.rows(f"SELECT count(*) FROM {table}") == [(0,)]


def test_the_row_of_a_bad_value_is_its_own(spark, types, table):
    types.rows(f"CREATE TABLE {table} (id SMALLINT)")
    with pytest.raises(PySparkException) as error:
        write(spark.range(0, 40_000, 1, 1), types, table)
    assert "row 32768" in str(error.value) and "value 32768" in str(error.value)
    assert types.rows(f"SELECT count(*) FROM {table}") == [(0,)]


def test_types_come_back_as_sparks_table_says(spark, types, table):
    types.rows(f"""CREATE TABLE {table} AS SELECT true AS bo, 1::int2 AS sh, 2 AS i, 3::int8 AS l, 1.5::float4 AS f, 2.5::float8 AS d,
        1.25::numeric(10,3) AS n, 1.000000000000000001::numeric AS nn, 'x'::varchar(3) AS vc, 'x'::char(3) AS ch, 'ä'::text AS t,
        '\\x00ff'::bytea AS by, '2020-02-29'::date AS da, 'infinity'::date AS di, '2020-01-01 00:00:01.5'::timestamp AS ts,
        '2020-01-01 00:00:00+02'::timestamptz AS tz, '-infinity'::timestamptz AS ti, '12:30:01'::time AS tm, B'1'::bit(1) AS b1,
        B'101'::bit(3) AS b3, '{{"a": 1}}'::json AS js, '{{"a": 1}}'::jsonb AS jb, '00000000-0000-0000-0000-00000000000a'::uuid AS u,
        'b'::mood AS e, '10.0.0.1'::inet AS ip, '1 day'::interval AS iv, 26::oid AS o, '(1,2)'::point AS p,
        ARRAY[1,NULL,3] AS a, ARRAY['x','']::text[] AS ta, '{{}}'::int[] AS ea, ARRAY['b']::mood[] AS ma, NULL::int AS nu""")
    types.rows(f"ALTER TABLE {table} ADD aa INT[][]; UPDATE {table} SET aa = '{{{{1,2}},{{3,4}}}}'")
    frame = read(spark, types, table)
    assert {f.name: f.dataType.simpleString() for f in frame.schema.fields} == {
        "bo": "boolean", "sh": "smallint", "i": "int", "l": "bigint", "f": "float", "d": "double", "n": "decimal(10,3)",
        "nn": "decimal(38,18)", "vc": "string", "ch": "string", "t": "string", "by": "binary", "da": "date", "di": "date",
        "ts": "timestamp", "tz": "timestamp", "ti": "timestamp", "tm": "timestamp", "b1": "boolean", "b3": "binary",
        "js": "string", "jb": "string", "u": "string", "e": "string", "ip": "string", "iv": "string", "o": "decimal(20,0)",
        "p": "string", "a": "array<int>", "ta": "array<string>", "ea": "array<int>", "ma": "array<string>", "nu": "int",
        "aa": "array<array<int>>"}
    row = frame.selectExpr(*[f"CAST({c} AS STRING) AS {c}" if c != "by" else "hex(by) AS by" for c in frame.columns]).first()
    assert row.asDict() == {
        "bo": "true", "sh": "1", "i": "2", "l": "3", "f": "1.5", "d": "2.5", "n": "1.250", "nn": "1.000000000000000001",
        "vc": "x", "ch": "x  ", "t": "ä", "by": "00FF", "da": "2020-02-29", "di": "9999-12-31", "ts": "2020-01-01 00:00:01.5",
        "tz": "2019-12-31 22:00:00", "ti": "0001-01-01 00:00:00", "tm": "1970-01-01 12:30:01", "b1": "true", "b3": "101",
        "js": '{"a": 1}', "jb": '{"a": 1}', "u": "00000000-0000-0000-0000-00000000000a", "e": "b", "ip": "10.0.0.1/32",
        "iv": "1 day", "o": "26", "p": "(1,2)", "a": "[1, null, 3]", "ta": "[x, ]", "ea": "[]", "ma": "[b]", "nu": None,
        "aa": "[[1, 2], [3, 4]]"}
    assert read(spark, types, table, preferTimestampNTZ="true").select("ts").dtypes == [("ts", "timestamp_ntz")]


def test_numbers_no_decimal_has_are_errors(spark, types, table):
    types.rows(f"CREATE TABLE {table} AS SELECT 'NaN'::numeric AS n")
    with pytest.raises(PySparkException) as error:
        read(spark, types, table).collect()
    assert "NaN" in str(error.value) and "column n" in str(error.value)
