"""What may be stored in a column, and what real Spark 4.3 says of what does not fit."""
import pytest
from pyspark.errors import PySparkException


@pytest.fixture
def table(spark, path):
    spark.sql("DROP TABLE IF EXISTS stored")
    spark.sql("CREATE TABLE stored (a TINYINT, c DECIMAL(5,2), s STRUCT<x: TINYINT, y: STRING>, l ARRAY<SMALLINT>, "
              f"m MAP<STRING, INT>, b INT) USING parquet LOCATION '{path}/stored'")
    yield spark
    spark.sql("DROP TABLE IF EXISTS stored")


@pytest.mark.parametrize("ansi", [True, False])
@pytest.mark.parametrize("column, value, source, target, named", [
    ("a", "300", "INT", "TINYINT", "`a`"),
    ("a", "1e10D", "DOUBLE", "TINYINT", "`a`"),
    ("b", "12345678901.5", "DECIMAL(12,1)", "INT", "`b`"),
    ("b", "double('NaN')", "DOUBLE", "INT", "`b`"),
    ("c", "12345678", "INT", "DECIMAL(5,2)", "`c`"),
    ("c", "1234.5678", "DECIMAL(8,4)", "DECIMAL(5,2)", "`c`"),
    ("s", "named_struct('x', 300, 'y', 'q')", "INT", "TINYINT", "`s`.`x`"),
    ("l", "array(1, 100000)", "INT", "SMALLINT", "`l`.`element`"),
    ("m", "map('k', 3000000000)", "BIGINT", "INT", "`m`.`value`"),
])
def test_an_overflow_names_the_column_and_both_types(table, ansi, column, value, source, target, named):
    table.conf.set("spark.sql.ansi.enabled", ansi)
    with pytest.raises(PySparkException) as failed:
        table.sql(f"INSERT INTO stored ({column}) SELECT {value}")
    assert failed.value.getCondition() == "CAST_OVERFLOW_IN_TABLE_INSERT" and failed.value.getSqlState() == "22003"
    assert failed.value.getMessageParameters() == {
        "sourceType": f'"{source}"', "targetType": f'"{target}"', "columnName": named}


def test_an_overflow_of_the_query_itself_is_not_the_tables(table):
    with pytest.raises(PySparkException, match="CAST_OVERFLOW]"):
        table.sql("INSERT INTO stored (a) SELECT CAST(300 AS TINYINT)")
    table.conf.set("spark.sql.storeAssignmentPolicy", "LEGACY")
    table.sql("INSERT INTO stored (a) SELECT 300L")
    assert table.sql("SELECT a FROM stored").collect() == [(44,)]


def test_structs_meet_by_position_or_by_name(table):
    table.sql("INSERT INTO stored BY NAME SELECT named_struct('y', 'q', 'X', 1) AS s, 2 AS b, 3 AS a")
    table.sql("INSERT INTO stored (s) SELECT named_struct('p', 2, 'q', 'z')")
    assert sorted(table.sql("SELECT s.x, s.y, b, a FROM stored").collect()) == [(1, "q", 2, 3), (2, "z", None, None)]
    for query, error, shown in [
        ("BY NAME SELECT named_struct('y', 'q') AS s", "CANNOT_FIND_DATA", "`s`.`x`"),
        ("BY NAME SELECT named_struct('y', 'q', 'x', 1, 'z', 3) AS s", "EXTRA_STRUCT_FIELDS", "fields `z` to the struct `s`"),
        ("SELECT NULL, NULL, named_struct('p', 1), NULL, NULL, NULL", "STRUCT_MISSING_FIELDS", "`s` missing fields: `y`"),
        ("SELECT NULL, NULL, named_struct('p', 1, 'q', 'z', 'r', 1), NULL, NULL, NULL", "EXTRA_STRUCT_FIELDS", "fields `r` to the struct `s`"),
        ("(s) SELECT named_struct('y', 'q', 'x', 1)", "CANNOT_SAFELY_CAST", '`s`.`x` "STRING" to "TINYINT"'),
        ("(l) SELECT array('x')", "CANNOT_SAFELY_CAST", '`l`.`element` "STRING" to "SMALLINT"'),
    ]:
        with pytest.raises(PySparkException, match=f"INCOMPATIBLE_DATA_FOR_TABLE.{error}") as failed:
            table.sql(f"INSERT INTO stored {query}")
        assert shown in str(failed.value)


def test_the_value_of_a_partition_is_read_from_its_text(spark, path):
    spark.sql(f"CREATE TABLE parted (a INT, p TINYINT) USING parquet PARTITIONED BY (p) LOCATION '{path}/parted'")
    with pytest.raises(PySparkException, match="CAST_INVALID_INPUT"):
        spark.sql("INSERT INTO parted PARTITION (p = 300) VALUES (1)")
    spark.sql("INSERT INTO parted PARTITION (p = '7') VALUES (1)")
    assert spark.sql("SELECT * FROM parted").collect() == [(1, 7)]
    spark.sql("DROP TABLE parted")


def test_a_partition_with_files_is_renamed(spark, path):
    spark.sql(f"CREATE TABLE moved (a INT, p STRING, q INT) USING parquet PARTITIONED BY (p, q) LOCATION '{path}/moved'")
    spark.sql("INSERT INTO moved VALUES (1, 'x y', 1), (2, 'x y', 1), (3, 'z', 1)")
    spark.sql("ALTER TABLE moved PARTITION (p = 'x y', q = 1) RENAME TO PARTITION (p = 'a/b', q = 11)")
    assert sorted(map(tuple, spark.table("moved").collect())) == [(1, "a/b", 11), (2, "a/b", 11), (3, "z", 1)]
    assert [row[0] for row in spark.sql("SHOW PARTITIONS moved").collect()] == ["p=a%2Fb/q=11", "p=z/q=1"]
    with pytest.raises(PySparkException, match="PARTITIONS_ALREADY_EXIST"):
        spark.sql("ALTER TABLE moved PARTITION (p = 'a/b', q = 11) RENAME TO PARTITION (p = 'z', q = 1)")
    with pytest.raises(PySparkException, match="PARTITIONS_NOT_FOUND"):
        spark.sql("ALTER TABLE moved PARTITION (p = 'x y', q = 1) RENAME TO PARTITION (p = 'n', q = 1)")
    spark.sql("DROP TABLE moved")
