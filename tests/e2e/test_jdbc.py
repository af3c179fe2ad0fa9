"""PostgreSQL as a target: rows are read back through PostgreSQL itself, never through us."""
import datetime
import decimal

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F


@pytest.fixture
def table(postgres, request):
    name = "t_" + "".join(c if c.isalnum() else "_" for c in request.node.name)[:50].lower()
    postgres.rows(f'DROP TABLE IF EXISTS "{name}"')
    return name


def write(frame, postgres, table, mode="append", **options):
    writer = frame.write.format("jdbc").mode(mode)
    for key, value in {**postgres.options, "dbtable": table, **options}.items():
        writer = writer.option(key, value)
    writer.save()


def test_append_creates_and_adds(spark, postgres, table):
    frame = spark.range(1000).repartition(4).withColumn("name", F.concat(F.lit("n"), "id"))
    write(frame, postgres, table)
    write(frame, postgres, table)
    assert postgres.rows(f"SELECT count(*), sum(id), count(DISTINCT name) FROM {table}") == [(2000, 999000, 1000)]


def test_types_arrive_as_they_are(spark, postgres, table):
    row = (True, 2, 3, 4, 1.5, 2.5, decimal.Decimal("12345678.10"), "ä\n\\N\t", bytearray(b"\x00\xff"),
           datetime.date(1969, 12, 31), datetime.datetime(2024, 2, 29, 12, 0, 0, 5), ["a", None])
    ddl = ("b BOOLEAN, h SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, n DECIMAL(10,2), s STRING, x BINARY, dt DATE, "
           "ts TIMESTAMP, a ARRAY<STRING>")
    write(spark.createDataFrame([row, (None,) * 12], ddl), postgres, table)
    got = postgres.rows(f"SELECT b, h, i, l, f, d, n, s, x, dt, ts AT TIME ZONE 'UTC', a FROM {table} ORDER BY b")
    assert got == [(*row[:8], bytes(row[8]), *row[9:]), (None,) * 12]


def test_columns_of_the_target_decide(spark, postgres, table):
    postgres.rows(f"CREATE TABLE {table} (id INT, amount NUMERIC(8,2), u UUID, j JSONB, extra INT DEFAULT 7)")
    frame = spark.sql("SELECT 1L AS ID, 1.5D AS amount, '00000000-0000-0000-0000-000000000001' AS u, '{\"a\": 1}' AS j")
    write(frame, postgres, table)
    assert [tuple(map(str, r)) for r in postgres.rows(f"SELECT * FROM {table}")] == [
        ("1", "1.50", "00000000-0000-0000-0000-000000000001", "{'a': 1}", "7")]


def test_overwrite_and_the_other_modes(spark, postgres, table):
    write(spark.range(5), postgres, table)
    write(spark.range(2), postgres, table, "overwrite")
    assert postgres.rows(f"SELECT count(*) FROM {table}") == [(2,)]
    write(spark.range(9), postgres, table, "ignore")
    assert postgres.rows(f"SELECT count(*) FROM {table}") == [(2,)]
    with pytest.raises(PySparkException):
        write(spark.range(9), postgres, table, "errorifexists")


def test_insert_into_a_jdbc_table(spark, server, postgres, table):
    postgres.rows(f"CREATE TABLE {table} (id BIGINT, name TEXT)")
    name = f"{table}_{server.kind}"
    spark.sql(f"DROP TABLE IF EXISTS {name}")
    spark.sql(f"CREATE TABLE {name} USING jdbc OPTIONS (url '{postgres.url}', dbtable '{table}', "
              f"user 'spark', password '{postgres.password}')")
    spark.sql(f"INSERT INTO {name} SELECT id, concat('n', id) FROM range(100)")
    assert postgres.rows(f"SELECT count(*), max(name) FROM {table}") == [(100, "n99")]
    shown = "\n".join(str(r) for r in spark.sql(f"DESCRIBE EXTENDED {name}").collect())
    assert postgres.password not in shown
    spark.sql(f"DROP TABLE {name}")


@pytest.mark.parametrize("options,text", [
    ({"password": "wrong"}, "password"), ({"url": "jdbc:postgresql://127.0.0.1:1/postgres"}, "127.0.0.1"),
    ({"dbtable": "no_schema.t"}, "no_schema"),
])
def test_clear_errors(spark, postgres, table, options, text):
    with pytest.raises(PySparkException) as error:
        write(spark.range(3), postgres, table, **options)
    assert text in str(error.value)
    assert spark.range(3).count() == 3


def test_a_value_the_target_cannot_hold_names_its_column_and_nothing_stays(spark, postgres, table):
    postgres.rows(f"CREATE TABLE {table} (small SMALLINT)")
    with pytest.raises(PySparkException) as error:
        write(spark.range(40_000).select(F.col("id").alias("small")), postgres, table)
    assert "small" in str(error.value)


def test_null_bytes_are_refused_clearly(spark, postgres, table):
    with pytest.raises(PySparkException) as error:
        write(spark.sql("SELECT 'a\\0b' AS s"), postgres, table)
    assert "s" in str(error.value)
