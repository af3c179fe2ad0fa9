"""Databases read by executors: what is spread over them, how often a database is asked, and what its refusals are called."""
import json
import threading
import time

import pytest
import services
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from jdbc import copies, name_of, read

ROWS = 60_000


def ran_on_executors(server, work):
    """What `work` gives; on a cluster, that a job was run for it."""
    jobs = lambda: {job["id"] for job in json.loads(server.rest("jobs"))} if server.kind == "cluster" else set()  # noqa: E731
    before = jobs()
    answer = work()
    assert server.kind == "local" or jobs() - before, "read by the scheduler"
    return answer


@pytest.fixture(scope="module")
def wide(postgres):
    """A table of some thousand blocks."""
    postgres.rows("DROP TABLE IF EXISTS wide; CREATE TABLE wide AS SELECT i AS id, i % 10 AS g, repeat('x', 900) AS pad "
                  f"FROM generate_series(1, {ROWS}) i; ANALYZE wide")
    yield "wide"
    postgres.rows("DROP TABLE wide")


@pytest.fixture
def few(path, spark):
    """Files with ten rows, in two partitions."""
    spark.range(10).withColumnRenamed("id", "g").repartition(2).write.parquet(f"{path}/few")
    return spark.read.parquet(f"{path}/few")


def test_partitions_of_postgresql_go_to_executors_and_the_snapshot_ends_with_the_job(spark, server, postgres, wide, path):
    frame = read(spark, postgres, wide)
    ran_on_executors(server, lambda: frame.select("id", "g").write.parquet(f"{path}/copy"))
    copy = spark.read.parquet(f"{path}/copy").agg(F.count("*"), F.sum("id"), F.countDistinct("id")).first()
    assert tuple(copy) == (ROWS, ROWS * (ROWS + 1) // 2, ROWS)
    snapshots = lambda: postgres.rows("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'firesteel%'")  # noqa: E731
    services.wait_until("connections to end", lambda: snapshots() == [(0,)], 10)


def test_a_cancelled_read_leaves_no_connection(spark, server, postgres, wide):
    postgres.rows("CREATE OR REPLACE FUNCTION slowly(i int) RETURNS int AS $$ SELECT pg_sleep(0.01); SELECT i $$ LANGUAGE sql VOLATILE")
    sessions = lambda: postgres.rows("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'firesteel%'")[0][0]  # noqa: E731
    failed = []

    def run():
        try:
            properties = {"user": "spark", "password": postgres.password}
            frame = spark.read.jdbc(postgres.url, "(SELECT slowly(id) AS s, id FROM wide) AS t", properties=properties,
                                    predicates=["id < 30000", "id >= 30000"])
            frame.agg(F.sum("s")).collect()
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    services.wait_until("the read", lambda: sessions() >= 2, 20)
    time.sleep(0.3)
    spark.interruptAll()
    thread.join(20)
    assert failed and not thread.is_alive()
    services.wait_until("connections to end", lambda: sessions() == 0, 20)


def test_a_small_table_joined_to_files_is_asked_for_once(spark, server, postgres, few):
    postgres.rows("DROP TABLE IF EXISTS names; CREATE TABLE names AS SELECT i AS g, 'n' || i AS name FROM generate_series(0, 9) i")
    answers = []
    names = read(spark, postgres, "names")
    between = names.alias("n").join(few.alias("f"), F.expr("f.g <= n.g AND f.g >= n.g"))
    for joined in (few.join(F.broadcast(names), "g"), F.broadcast(names).join(few, "g", "right"), between):
        asked = copies(postgres, lambda: ran_on_executors(server, lambda: answers.append(joined.select("name").collect())))
        assert sorted(row.name for row in answers.pop()) == [f"n{i}" for i in range(10)]
        assert len(asked) == 1, asked
    postgres.rows("DROP TABLE names")


def test_what_postgresql_refuses_has_its_class(spark, postgres, wide):
    frame = spark.read.jdbc(postgres.url, "(SELECT 1 / (id - 5) AS q, id FROM wide) AS t", predicates=["id < 100", "id >= 100"],
                            properties={"user": "spark", "password": postgres.password})
    with pytest.raises(PySparkException, match="division by zero") as error:
        frame.agg(F.sum("q")).collect()
    assert error.value.getCondition() == "FAILED_JDBC.UNCLASSIFIED"


def test_partitions_of_clickhouse_go_to_executors(spark, server, clickhouse, request):
    table = name_of(request)
    clickhouse.execute(f"DROP TABLE IF EXISTS {table}")
    clickhouse.execute(f"CREATE TABLE {table} (id Int64, g Int32) ENGINE = MergeTree PARTITION BY g ORDER BY id "
                       f"AS SELECT number, number % 5 FROM numbers({ROWS})")
    frame = spark.read.format("clickhouse").options(**clickhouse.options, table=table).load()
    got = ran_on_executors(server, lambda: frame.where("id >= 10").agg(F.count("*"), F.sum("id"), F.countDistinct("g")).first())
    assert tuple(got) == (ROWS - 10, ROWS * (ROWS - 1) // 2 - 45, 5)
    with pytest.raises(PySparkException) as error:
        spark.read.format("clickhouse").options(**clickhouse.options).option(
            "query", f"SELECT throwIf(id = 77777, 'no such day') AS t, id FROM {table} UNION ALL SELECT throwIf(1, 'no such day'), 1"
        ).load().selectExpr("sum(t)").collect()
    assert error.value.getCondition() == "FAILED_JDBC.UNCLASSIFIED" and "no such day" in str(error.value)
    clickhouse.execute(f"DROP TABLE {table} SYNC")
