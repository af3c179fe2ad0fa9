"""Save modes, upserts and created tables, as PostgreSQL itself sees them afterwards."""
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from jdbc import leftovers, name_of, write


@pytest.fixture
def table(postgres, request):
    name = name_of(request)
    postgres.rows(f'DROP TABLE IF EXISTS "{name}" CASCADE')
    yield name
    assert leftovers(postgres) == []
    postgres.rows(f'DROP TABLE IF EXISTS "{name}" CASCADE')


def test_overwrite_keeps_indexes_grants_views_and_defaults(spark, postgres, table):
    role = f"r_{table}"[:60]
    postgres.rows(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role}; CREATE TABLE {table} (id BIGINT PRIMARY KEY, "
                  f"name VARCHAR(20) UNIQUE); CREATE VIEW {table}_v AS SELECT * FROM {table}; "
                  f"GRANT SELECT ON {table} TO {role}; INSERT INTO {table} VALUES (7, 'old')")
    before = postgres.rows(f"SELECT '{table}'::regclass::oid")
    write(spark.range(100).withColumn("name", F.concat(F.lit("n"), "id")), postgres, table, "overwrite")
    assert postgres.rows(f"SELECT count(*), max(id) FROM {table}_v") == [(100, 99)]
    assert postgres.rows(f"SELECT '{table}'::regclass::oid") == before
    assert len(postgres.rows(f"SELECT 1 FROM pg_indexes WHERE tablename = '{table}'")) == 2
    assert postgres.rows(f"SELECT has_table_privilege('{role}', '{table}', 'SELECT')") == [(True,)]
    with pytest.raises(PySparkException) as error:
        write(spark.sql("SELECT 1L AS id, 'a' AS name UNION ALL SELECT 2L, 'a'"), postgres, table, "overwrite")
    assert "23505" in str(error.value)
    assert postgres.rows(f"SELECT count(*) FROM {table}") == [(100,)], "the old rows are still there"
    postgres.rows(f"DROP VIEW {table}_v; REVOKE ALL ON {table} FROM {role}; DROP ROLE {role}")


def test_overwrite_with_other_columns_makes_the_table_anew(spark, postgres, table):
    write(spark.range(5), postgres, table)
    write(spark.sql("SELECT 'x' AS a, 1 AS b"), postgres, table, "overwrite")
    assert postgres.rows(f"SELECT a, b FROM {table}") == [("x", 1)]
    with pytest.raises(PySparkException) as error:
        write(spark.range(5), postgres, table, "overwrite", truncate="true")
    assert "id" in str(error.value)
    postgres.rows(f"CREATE VIEW {table}_v AS SELECT * FROM {table}")
    with pytest.raises(PySparkException) as error:
        write(spark.range(5), postgres, table, "overwrite")
    assert f"{table}_v" in str(error.value)
    assert postgres.rows(f"SELECT a, b FROM {table}") == [("x", 1)]
    postgres.rows(f"DROP VIEW {table}_v")


def test_overwrite_of_a_referenced_table_says_so(spark, postgres, table):
    postgres.rows(f"CREATE TABLE {table} (id BIGINT PRIMARY KEY); INSERT INTO {table} VALUES (1); "
                  f"CREATE TABLE {table}_child (id BIGINT REFERENCES {table}); INSERT INTO {table}_child VALUES (1)")
    with pytest.raises(PySparkException) as error:
        write(spark.range(3), postgres, table, "overwrite")
    assert "foreign key" in str(error.value)
    write(spark.range(3), postgres, table, "overwrite", cascadeTruncate="true")
    assert postgres.rows(f"SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM {table}_child)") == [(3, 0)]
    postgres.rows(f"DROP TABLE {table}_child")


def test_upsert_changes_and_adds(spark, postgres, table):
    postgres.rows(f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, name TEXT, kept INT DEFAULT 5)")
    frame = spark.range(100).repartition(4).withColumn("name", F.concat(F.lit("a"), "id"))
    write(frame, postgres, table, upsertKeys="id")
    postgres.rows(f"UPDATE {table} SET kept = 9")
    write(frame.where("id >= 90").withColumn("id", F.col("id") + 5).withColumn("name", F.lit("b")), postgres, table,
          format="postgres", upsertKeys="ID")
    assert postgres.rows(f"SELECT count(*), count(*) FILTER (WHERE name = 'b'), count(*) FILTER (WHERE kept = 9) "
                         f"FROM {table}") == [(105, 10, 100)]
    write(spark.sql("SELECT 1L AS id, 'c' AS name"), postgres, table, upsertKeys="id", upsertAction="ignore")
    assert postgres.rows(f"SELECT name FROM {table} WHERE id = 1") == [("a1",)]


@pytest.mark.parametrize("rows,text", [("(1L), (1L)", "(id) = (1)"), ("(CAST(NULL AS BIGINT)), (1L)", "NULL")])
def test_keys_of_an_upsert_must_be_one_each(spark, postgres, table, rows, text):
    postgres.rows(f"CREATE TABLE {table} (id BIGINT UNIQUE); INSERT INTO {table} VALUES (3)")
    with pytest.raises(PySparkException) as error:
        write(spark.sql(f"SELECT * FROM VALUES {rows} AS t(id)"), postgres, table, upsertKeys="id")
    assert text in str(error.value)
    assert postgres.rows(f"SELECT * FROM {table}") == [(3,)]


def test_an_upsert_needs_a_unique_index_on_its_keys(spark, postgres, table):
    postgres.rows(f"CREATE TABLE {table} (id BIGINT, other BIGINT, UNIQUE (id, other))")
    with pytest.raises(PySparkException) as error:
        write(spark.sql("SELECT 1L AS id, 2L AS other"), postgres, table, upsertKeys="id")
    assert "unique index" in str(error.value)
    write(spark.sql("SELECT 1L AS id, 2L AS other"), postgres, table, upsertKeys="other, id")
    assert postgres.rows(f"SELECT * FROM {table}") == [(1, 2)]


def test_an_upsert_creates_its_table_with_the_key(spark, postgres, table):
    write(spark.sql("SELECT 1L AS id, 'x' AS name"), postgres, table, upsertKeys="id")
    write(spark.sql("SELECT 1L AS id, 'y' AS name"), postgres, table, upsertKeys="id")
    assert postgres.rows(f"SELECT * FROM {table}") == [(1, "y")]


def test_created_tables_take_types_options_and_comment(spark, postgres, table):
    frame = spark.sql("SELECT 1 AS id, 'abc' AS code, CAST(1.5 AS DECIMAL(9,3)) AS amount, TIMESTAMP_NTZ '2020-01-01' AS at")
    write(frame, postgres, table, createTableColumnTypes="code CHAR(5), id BIGINT", createTableOptions="WITH (fillfactor=70)",
          tableComment="it's ours")
    types = postgres.rows(f"SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '{table}' "
                          "ORDER BY ordinal_position")
    assert types == [("id", "bigint"), ("code", "character"), ("amount", "numeric"), ("at", "timestamp without time zone")]
    assert postgres.rows(f"SELECT reloptions, obj_description(oid) FROM pg_class WHERE relname = '{table}'") == [
        (["fillfactor=70"], "it's ours")]


def test_one_writer_and_direct_writers_append_too(spark, postgres, table):
    postgres.rows(f"CREATE TABLE {table} (id BIGINT)")
    write(spark.range(1000).repartition(4), postgres, table, numPartitions=1)
    write(spark.range(1000).repartition(4), postgres, table, writeStrategy="direct")
    write(spark.range(1000).repartition(4), postgres, table, batchsize=10, isolationLevel="SERIALIZABLE", queryTimeout=60)
    assert postgres.rows(f"SELECT count(*), count(DISTINCT id), sum(id) FROM {table}") == [(3000, 1000, 3 * 499500)]


@pytest.mark.parametrize("writers", [1, 3])
def test_no_more_writers_than_asked_for(spark, postgres, table, writers):
    """Each task notes its transaction in the table."""
    postgres.rows(f"CREATE TABLE {table} (id BIGINT, x BIGINT DEFAULT txid_current())")
    write(spark.range(0, 1000, 1, 20), postgres, table, numPartitions=writers, writeStrategy="direct")
    assert postgres.rows(f"SELECT count(*), count(DISTINCT id), count(DISTINCT x) FROM {table}") == [(1000, 1000, writers)]


@pytest.mark.parametrize("option,value", [
    ("keytab", "f"), ("principal", "p"), ("hint", "h"), ("connectionProvider", "own"), ("refreshKrb5Config", "true"),
    ("driver", "com.mysql.cj.jdbc.Driver"), ("isolationLevel", "SNAPSHOT"), ("batchsize", "0"), ("numPartitions", "0"),
    ("nonsense", "1"), ("truncate", "maybe"), ("distributedBy", "id"), ("partitionColumn", "id"), ("stringtype", "x"),
    ("prepareQuery", "WITH a AS (SELECT 1)"), ("customSchema", "id INT"), ("readOnly", "true"), ("upsert", "true"),
])
def test_what_cannot_be_honoured_is_refused_by_name(spark, postgres, table, option, value):
    with pytest.raises(PySparkException) as error:
        write(spark.range(3), postgres, table, **{option: value})
    assert option.lower() in str(error.value).lower() or (option == "upsert" and "upsertKeys" in str(error.value))
    assert postgres.rows(f"SELECT to_regclass('{table}')") == [(None,)]


def test_columns_without_a_value_are_missed_before_any_row_moves(spark, postgres, table):
    postgres.rows(f"CREATE TABLE {table} (id BIGINT, must TEXT NOT NULL, serial SERIAL NOT NULL, "
                  "made BIGINT GENERATED ALWAYS AS (id + 1) STORED)")
    with pytest.raises(PySparkException) as error:
        write(spark.range(3), postgres, table)
    assert "must" in str(error.value)
    postgres.rows(f"ALTER TABLE {table} ALTER must SET DEFAULT 'd'")
    write(spark.range(3), postgres, table)
    assert postgres.rows(f"SELECT * FROM {table} ORDER BY id") == [(0, "d", 1, 1), (1, "d", 2, 2), (2, "d", 3, 3)]


def test_staging_may_live_in_a_schema_of_its_own(spark, postgres, table):
    schema = f"s_{table}"[:60]
    postgres.rows(f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}; CREATE TABLE {table} (id BIGINT)")
    write(spark.range(10).repartition(3), postgres, table, stagingSchema=schema)
    assert postgres.rows(f"SELECT count(*) FROM {table}") == [(10,)]
    assert postgres.rows(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{schema}'") == [
        ("_firesteel_commits",)]
    postgres.rows(f"DROP SCHEMA {schema} CASCADE")


def test_empty_writes_make_and_empty_tables(spark, postgres, table):
    write(spark.range(0), postgres, table)
    assert postgres.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    write(spark.range(5), postgres, table)
    write(spark.range(0), postgres, table, "overwrite")
    assert postgres.rows(f"SELECT count(*) FROM {table}") == [(0,)]
