"""JSON as real Spark 4.3 reads it: records that do not fit, types of columns, options."""
import pytest


@pytest.fixture
def read(spark, path):
    def read(lines, schema=None, **options):
        with open(f"{path}/a.json", "w") as file:
            file.write("\n".join(lines) + "\n")
        reader = spark.read.options(**options)
        return (reader.schema(schema) if schema else reader).json(f"{path}/a.json")

    return read


def found(frame):
    return [tuple(row) for row in frame.collect()]


BAD = ['{"a":1,"b":"x"}', '{"a":"zz","b":"y"}', "not json", '{"a":3}', "[1]", '{"a":1.5,"b":{"c":1}}']


def test_what_does_not_fit_is_null(read):
    assert found(read(BAD, "a INT, b STRING")) == [
        (1, "x"), (None, "y"), (None, None), (3, None), (None, None), (None, '{"c":1}')]
    assert found(read(BAD, "a DOUBLE, b STRUCT<c: INT>"))[-1] == (1.5, (1,))
    assert read(BAD, "a DOUBLE, b BOOLEAN, c DATE").count() == 6
    kept = read(BAD, "a INT, b STRING, _corrupt_record STRING")
    assert [row[2] for row in found(kept)] == [None, BAD[1], BAD[2], None, BAD[4], BAD[5]]
    assert found(read(BAD, "a INT, b STRING", mode="DROPMALFORMED")) == [(1, "x"), (3, None)]


def test_columns_are_inferred_from_all_records(read):
    frame = read(BAD)
    assert frame.schema.simpleString() == "struct<_corrupt_record:string,a:string,b:string>"
    assert found(frame) == [
        (None, "1", "x"), (None, "zz", "y"), ("not json", None, None), (None, "3", None), ("[1]", None, None),
        (None, "1.5", '{"c":1}')]
    mixed = read(['{"a":1}', '{"a":2.5,"g":{},"f":null}', '{"b":[]}', '{"b":[null,{"x":1}]}'])
    assert mixed.schema.simpleString() == "struct<a:double,b:array<struct<x:bigint>>,f:string>"
    assert [row[0] for row in found(mixed)] == [1.0, 2.5, None, None]
    big = read(['{"a":12345678901234567890}', '{"a":1}'])
    assert big.dtypes == [("a", "decimal(20,0)")] and [int(row[0]) for row in found(big)] == [12345678901234567890, 1]
    rows = read(['[{"a":1},{"a":2}]', '{"a":3}'])
    assert found(rows) == [(1,), (2,), (3,)]


def test_options_of_inference(read):
    lines = ["{'a':1,'t':'2024-01-02T03:04:05Z','n':null}", "{a:2} // two"]
    plain = read(lines[:1])
    assert plain.dtypes == [("a", "bigint"), ("n", "string"), ("t", "string")] and plain.collect()[0].a == 1
    assert read(lines[:1], dropFieldIfAllNull=True, inferTimestamp=True).dtypes == [("a", "bigint"), ("t", "timestamp")]
    assert found(read(lines[:1], primitivesAsString=True).select("a")) == [("1",)]
    assert read(lines, allowUnquotedFieldNames=True, allowComments=True).select("a").collect() == [(1,), (2,)]
    assert read(['{"a":1.25}', '{"a":10.5}'], prefersDecimal=True).dtypes == [("a", "decimal(4,2)")]
    assert "_corrupt_record" in read(lines[:1], allowSingleQuotes=False).columns


def test_arrays_of_records_are_records(read):
    lines = ['[{"a":1},{"a":2}]', "[]", '[{"a":3},{"a":"x"}]', "[4]"]
    assert found(read(lines[:2], "a INT")) == [(1,), (2,)]
    assert found(read(lines, "a INT")) == [(1,), (2,), (3,), (None,), (None,)]


def test_values_of_several_lines(read):
    lines = ['[{"a":1},', '{"a":2,"b":[1,{"x":2}]}]']
    frame = read(lines, multiLine=True)
    assert frame.schema.simpleString() == "struct<a:bigint,b:array<string>>"
    assert found(frame) == [(1, None), (2, ["1", '{"x":2}'])]
    assert found(read(lines, "a INT", multiLine=True)) == [(1,), (2,)]
    assert found(read(BAD, "a INT, _corrupt_record STRING", multiLine=True)) == [(1, None)]
    broken = found(read(["{", '"a":'], "a INT, _corrupt_record STRING", multiLine=True))
    assert broken == [(None, '{\n"a":\n')]
