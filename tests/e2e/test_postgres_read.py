"""Reading from PostgreSQL: what it is asked for, how rows are spread, and that answers are those of a plain read."""
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from jdbc import copies, name_of, read


@pytest.fixture(scope="session")
def big(postgres):
    """A table of some thousand blocks, with gaps, nulls and updates that moved rows."""
    postgres.rows("DROP TABLE IF EXISTS big; CREATE TABLE big AS SELECT i AS id, (i % 7)::int AS g, "
                  "CASE WHEN i % 11 = 0 THEN NULL ELSE 'name ' || (i % 1000) END AS name, "
                  "(i * 1.25)::numeric(12,2) AS n, i::float8 / 3 AS f, DATE '2020-01-01' + (i % 400)::int AS d, "
                  "TIMESTAMP '2020-01-01' + i * INTERVAL '1 s' AS t, i % 2 = 0 AS b, repeat('x', 200) AS pad "
                  "FROM generate_series(1, 150000) i; "
                  "UPDATE big SET g = g WHERE id % 10 = 0; DELETE FROM big WHERE id % 1000 = 0; ANALYZE big")
    return "big"


def test_large_tables_are_read_in_ranges_of_blocks(spark, postgres, big):
    frame = read(spark, postgres, big, numPartitions=4)
    assert len(frame.select(F.spark_partition_id().alias("p")).distinct().collect()) == 4
    expected = postgres.rows("SELECT count(*), sum(id), count(name), sum(n) FROM big")[0]
    got = frame.agg(F.count("*"), F.sum("id"), F.count("name"), F.sum("n")).first()
    assert tuple(got) == expected


def test_partitions_by_bounds_hold_every_row_once(spark, postgres, big):
    expected = postgres.rows("SELECT count(*), sum(id) FROM big")[0]
    for column, lower, upper in [("id", "1000", "2000"), ("n", "0", "100000"), ("d", "2020-02-01", "2020-06-01"),
                                 ("t", "2020-01-01 00:00:00", "2020-01-02 00:00:00"), ("ID", "5", "5")]:
        frame = read(spark, postgres, big, partitionColumn=column, lowerBound=lower, upperBound=upper, numPartitions=3)
        assert tuple(frame.agg(F.count("*"), F.sum("id")).first()) == expected, column


def test_predicates_are_partitions(spark, postgres, big):
    properties = {"user": "spark", "password": postgres.password}
    frame = spark.read.jdbc(postgres.url, big, predicates=["id < 100", "id >= 100 AND id < 300"], properties=properties)
    assert frame.count() == 299
    frame = spark.read.jdbc(postgres.url, big, column="id", lowerBound=1, upperBound=150000, numPartitions=5,
                            properties=properties)
    assert frame.count() == postgres.rows("SELECT count(*) FROM big")[0][0]


@pytest.mark.parametrize("condition", [
    "id = 5", "id > 149000", "id IN (1, 2, 3, 1000)", "id NOT IN (1, 2)", "name IS NULL", "name = 'name 5'",
    "name <> 'name 5'", "name > 'name 998'", "name < 'name 1'", "name LIKE 'name 99%'", "n = 12.50", "n BETWEEN 10 AND 20",
    "f > 49000", "d = DATE '2020-02-29'", "d > DATE '2021-01-30'", "t < TIMESTAMP '2020-01-01 00:01:00'", "b", "NOT b",
    "b AND id < 10", "id < 10 OR name = 'name 7'", "id + 1 = 10", "g = 3 AND f < 100", "name IN ('name 1', 'name 2')",
    "id <=> 5", "NOT (id < 149990)", "id = 5L AND n = 6.25", "g IS NOT NULL AND name = ''", "pad = 'x'", "name = 'o''x\\\\'",
])
def test_filters_keep_what_spark_keeps(spark, postgres, big, condition):
    pushed = read(spark, postgres, big).where(condition)
    plain = read(spark, postgres, big, pushDownPredicate="false").where(condition)
    assert pushed.agg(F.count("*"), F.sum("id")).first() == plain.agg(F.count("*"), F.sum("id")).first()


@pytest.mark.parametrize("sql", [
    "SELECT count(*), count(name), min(id), max(id), min(n), max(n), min(d), max(t) FROM big",
    "SELECT g, count(*), min(id), max(d) FROM big GROUP BY g",
    "SELECT name, count(*) FROM big WHERE id < 5000 GROUP BY name",
    "SELECT g, b, count(name) AS c FROM big WHERE id > 100 GROUP BY g, b HAVING count(name) > 10",
    "SELECT DISTINCT g FROM big", "SELECT count(DISTINCT g) FROM big", "SELECT min(name), max(name), max(f), min(b) FROM big",
    "SELECT count(*), min(id) FROM big WHERE id < 0", "SELECT g, count(*) FROM big WHERE id < 0 GROUP BY g",
    "SELECT id, name FROM big ORDER BY id DESC LIMIT 7", "SELECT id FROM big ORDER BY name NULLS LAST, id LIMIT 9",
    "SELECT id FROM big ORDER BY name DESC, id LIMIT 9", "SELECT id FROM big ORDER BY id LIMIT 5 OFFSET 3",
    "SELECT id FROM big WHERE name IS NULL ORDER BY n DESC LIMIT 3", "SELECT id FROM big ORDER BY f LIMIT 4",
    "SELECT count(*) FROM (SELECT * FROM big LIMIT 10)", "SELECT sum(id), avg(n) FROM big WHERE g = 2",
    "SELECT count(*) FILTER (WHERE g = 1) FROM big",
])
@pytest.mark.parametrize("partitions", [1, 3])
def test_answers_are_those_without_pushing_anything(spark, postgres, big, sql, partitions):
    answers = []
    for on in ("true", "false"):
        options = {f"pushDown{what}": on for what in ("Predicate", "Aggregate", "Limit", "Offset", "TableSample")}
        read(spark, postgres, big, numPartitions=partitions, **options).createOrReplaceTempView("big")
        answers.append(spark.sql(sql).collect())
    ordered = "ORDER BY" in sql
    assert answers[0] == answers[1] if ordered else sorted(answers[0], key=str) == sorted(answers[1], key=str)


@pytest.mark.parametrize("sql,parts", [
    ("SELECT id FROM big WHERE id < 100", ['SELECT "id" FROM', '"id" < (100)']),
    ("SELECT g, count(*) FROM big WHERE id < 100 GROUP BY g", ["count(*)", 'GROUP BY "g"']),
    ("SELECT id, g FROM big ORDER BY id DESC LIMIT 5", ["ORDER BY", "DESC NULLS LAST", "LIMIT 5"]),
    ("SELECT max(d) FROM big", ['max("d")']),
    ("SELECT id FROM big WHERE id < 100 LIMIT 5", ["LIMIT 5"]),
])
def test_the_server_is_asked_for_no_more_than_needed(spark, postgres, big, sql, parts):
    read(spark, postgres, big).createOrReplaceTempView("big")
    asked = copies(postgres, lambda: spark.sql(sql).collect())
    assert asked
    for part in parts:
        assert part in asked[-1], asked
    assert "pad" not in asked[-1]


def test_all_partitions_see_one_state(spark, postgres, big, request):
    """A transfer between two rows of different partitions while they are read is seen in both or in neither."""
    import threading

    table = name_of(request)
    postgres.rows(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} AS SELECT i AS id, 100 AS v, repeat('x', 900) AS pad "
                  "FROM generate_series(1, 40000) i")
    stop = threading.Event()

    def transfer():
        with postgres.connect() as connection:
            i = 0
            while not stop.is_set():
                i = i % 100 + 1
                connection.execute(f"UPDATE {table} SET v = CASE WHEN id = {i} THEN v - 1 ELSE v + 1 END "
                                   f"WHERE id IN ({i}, {40001 - i})")

    thread = threading.Thread(target=transfer)
    thread.start()
    try:
        for _ in range(5):
            row = read(spark, postgres, table, numPartitions=4).agg(F.sum("v"), F.count("*")).first()
            assert tuple(row) == (4_000_000, 40000)
    finally:
        stop.set()
        thread.join()
    postgres.rows(f"DROP TABLE {table}")


def test_queries_subqueries_and_what_prepares_them(spark, postgres, big):
    assert read(spark, postgres, query="SELECT g, count(*) AS c FROM big GROUP BY g").count() == 7
    assert read(spark, postgres, "(SELECT id AS k FROM big WHERE id < 50) AS t").where("k > 10").count() == 39
    assert read(spark, postgres, prepareQuery="WITH w AS (SELECT id FROM big WHERE id <= 3)", query="SELECT * FROM w").count() == 3
    frame = read(spark, postgres, query="SELECT current_setting('work_mem') AS w", sessionInitStatement="SET work_mem = '7MB'")
    assert frame.first()[0] == "7MB"
    frame = read(spark, postgres, big, customSchema="id DECIMAL(20,2), g STRING", fetchsize=10).where("g = '3' AND id < 20")
    assert frame.select("id", "g").dtypes == [("id", "decimal(20,2)"), ("g", "string")]
    assert sorted(str(r[0]) for r in frame.select("id").collect()) == ["10.00", "17.00", "3.00"]


@pytest.mark.parametrize("options,text", [
    ({"query": "SELECT 1 AS a", "dbtable": "big"}, "dbtable"),
    ({"query": "SELECT 1 AS a", "partitionColumn": "a", "lowerBound": 1, "upperBound": 2, "numPartitions": 2}, "partitionColumn"),
    ({"dbtable": "big", "partitionColumn": "id", "lowerBound": 1, "upperBound": 2}, "numPartitions"),
    ({"dbtable": "big", "partitionColumn": "id", "numPartitions": 2}, "lowerBound"),
    ({"dbtable": "big", "partitionColumn": "name", "lowerBound": 1, "upperBound": 2, "numPartitions": 2}, "name"),
    ({"dbtable": "big", "partitionColumn": "id", "lowerBound": 3, "upperBound": 2, "numPartitions": 2}, "lower bound"),
    ({"dbtable": "big", "customSchema": "nope INT"}, "nope"), ({"dbtable": "no_such_table"}, "no_such_table"),
    ({"query": "SELEC 1"}, "42601"), ({"dbtable": "big", "hint": "/*+ x */"}, "hint"), ({"dbtable": "big", "wat": "1"}, "wat"),
    ({"dbtable": "big", "fetchsize": "many"}, "fetchsize"), ({}, "dbtable"),
])
def test_reads_that_make_no_sense_are_refused_by_name(spark, postgres, big, options, text):
    with pytest.raises(PySparkException) as error:
        read(spark, postgres, **options).collect()
    assert text.lower() in str(error.value).lower()


def test_a_query_that_takes_too_long_is_ended(spark, postgres):
    with pytest.raises(PySparkException) as error:
        read(spark, postgres, query="SELECT pg_sleep(30)::text AS s", queryTimeout=1).collect()
    assert "57014" in str(error.value)


def test_rows_wider_than_memory_for_a_batch_stream(spark, postgres):
    frame = read(spark, postgres, query="SELECT i, repeat('y', 100000) AS wide FROM generate_series(1, 3000) i")
    assert frame.agg(F.sum(F.length("wide"))).first()[0] == 300_000_000


def test_a_join_of_two_tables_and_a_write_back(spark, postgres, big, request):
    from jdbc import write

    table = name_of(request)
    postgres.rows(f"DROP TABLE IF EXISTS {table}")
    left = read(spark, postgres, big, numPartitions=3)
    right = read(spark, postgres, query="SELECT g, max(id) AS m FROM big GROUP BY g")
    write(left.join(right, "g").where("id = m").select("g", "id"), postgres, table)
    assert postgres.rows(f"SELECT * FROM {table} ORDER BY g") == postgres.rows("SELECT g, max(id) FROM big GROUP BY g ORDER BY g")
    postgres.rows(f"DROP TABLE {table}")
