"""Writes that go wrong: nothing half-written, nothing left, and an error that says what happened."""
import threading
import time

import pytest
import services
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from jdbc import leftovers, name_of, write


@pytest.fixture
def table(postgres, request):
    name = name_of(request)
    postgres.rows(f'DROP TABLE IF EXISTS "{name}" CASCADE')
    yield name
    postgres.rows(f'DROP TABLE IF EXISTS "{name}" CASCADE')


def clean(postgres, seconds=20):
    """Waits until nothing is left: an undone write clears up after its caller has the error."""
    deadline = time.time() + seconds
    while leftovers(postgres) and time.time() < deadline:
        time.sleep(0.2)
    assert leftovers(postgres) == []


@pytest.mark.parametrize("options,text", [
    ({"url": "jdbc:postgresql://127.0.0.1:1/postgres"}, "127.0.0.1:1"), ({"password": "wrong"}, "authentication failed"),
    ({"user": "nobody"}, "nobody"), ({"database": "x", "host": "127.0.0.1"}, "host"),
    ({"dbtable": "no_such_schema.t"}, "no_such_schema"), ({"dbtable": "a b c"}, "dbtable"),
])
def test_targets_out_of_reach(spark, postgres, table, options, text):
    with pytest.raises(PySparkException) as error:
        write(spark.range(3), postgres, table, **options)
    assert text in str(error.value) and error.value.getSqlState()
    assert postgres.password not in str(error.value)


def test_a_missing_column_names_those_there_are(spark, postgres, table):
    postgres.rows(f"CREATE TABLE {table} (a INT, b INT)")
    with pytest.raises(PySparkException) as error:
        write(spark.sql("SELECT 1 AS a, 2 AS zz"), postgres, table)
    assert "zz" in str(error.value) and "a, b" in str(error.value)
    clean(postgres)


def test_one_bad_row_of_many_partitions_leaves_no_row(spark, postgres, table):
    postgres.rows(f"CREATE TABLE {table} (id INT CHECK (id <> 77777))")
    frame = spark.range(0, 100_000, 1, 20)
    for options in ({}, {"numPartitions": 1}):
        with pytest.raises(PySparkException) as error:
            write(frame, postgres, table, **options)
        assert "23514" in str(error.value)
        assert postgres.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    with pytest.raises(PySparkException):
        write(frame.withColumn("id", F.when(F.col("id") == 99_999, F.lit(2**40)).otherwise(F.col("id"))), postgres, table)
    assert postgres.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    clean(postgres)


def test_too_few_connections_are_said_beforehand(spark, postgres, table):
    role = "few"
    postgres.rows(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN PASSWORD 'few' CONNECTION LIMIT 2; "
                  f"GRANT ALL ON SCHEMA public TO {role}")
    with pytest.raises(PySparkException) as error:
        write(spark.range(100, numPartitions=4), postgres, table, user=role, password="few")
    assert "connections" in str(error.value)
    postgres.rows(f"ALTER ROLE {role} CONNECTION LIMIT 3; DROP TABLE IF EXISTS _firesteel_commits")
    write(spark.range(100, numPartitions=4), postgres, table, user=role, password="few")
    assert postgres.rows(f"SELECT count(*) FROM {table}") == [(100,)]
    clean(postgres)
    postgres.rows(f"DROP TABLE {table}, _firesteel_commits; DROP OWNED BY {role}; DROP ROLE {role}")


def test_without_the_right_to_create_the_error_says_where_else_to_stage(spark, postgres, table):
    role = "guest"
    postgres.rows(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN PASSWORD 'guest'; CREATE TABLE {table} (id BIGINT); "
                  f"GRANT INSERT, SELECT ON {table} TO {role}; CREATE SCHEMA IF NOT EXISTS scratch; "
                  f"GRANT ALL ON SCHEMA scratch TO {role}; DROP TABLE IF EXISTS _firesteel_commits")
    login = {"user": role, "password": "guest"}
    with pytest.raises(PySparkException) as error:
        write(spark.range(3), postgres, table, **login)
    assert "stagingSchema" in str(error.value)
    write(spark.range(3), postgres, table, stagingSchema="scratch", **login)
    assert postgres.rows(f"SELECT count(*) FROM {table}") == [(3,)]
    postgres.rows(f"DROP TABLE {table}; DROP SCHEMA scratch CASCADE; DROP OWNED BY {role}; DROP ROLE {role}")


def test_connections_that_are_cut_are_made_up_for_or_undo_the_write(spark, postgres, table):
    """Every backend of the write is ended again and again while it runs."""
    postgres.rows(f"CREATE TABLE {table} (id BIGINT, pad TEXT)")
    frame = spark.range(0, 400_000, 1, 8).withColumn("pad", F.repeat(F.lit("x"), 100))
    stop = threading.Event()

    def cut():
        while not stop.is_set():
            postgres.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'firesteel %'")
            time.sleep(0.15)

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        write(frame, postgres, table)
        expected = (400_000, 400_000)
    except PySparkException:
        expected = (0, 0)
    finally:
        stop.set()
        thread.join()
    assert postgres.rows(f"SELECT count(*), count(DISTINCT id) FROM {table}") == [expected]
    write(spark.range(1).withColumn("pad", F.lit("last")), postgres, table)
    clean(postgres)


def test_a_server_that_crashes_mid_way_holds_all_rows_or_none(spark, folder):
    try:
        own = services.Postgres(folder)
    except services.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        own.rows("CREATE TABLE t (id BIGINT)")
        write(spark.range(10), own, "t")
        failed = []

        def run():
            try:
                write(spark.range(0, 3_000_000, 1, 4), own, "t")
            except PySparkException as error:
                failed.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        services.wait_until("rows", lambda: own.rows("SELECT count(*) > 0 FROM pg_stat_progress_copy")[0][0], 30)
        own.process.kill()
        thread.join(100)
        assert failed and failed[0].getSqlState()
        own.restart()
        assert own.rows("SELECT count(*) FROM t") == [(10,)]
        write(spark.range(5), own, "t")
        assert own.rows("SELECT count(*) FROM t") == [(15,)]
        assert leftovers(own) == []
    finally:
        own.stop()


def test_a_writer_that_comes_late_is_turned_away(spark, postgres, table):
    """A task stopped before it commits, and let go when its job is long over, adds nothing and leaves nothing."""
    postgres.rows(f"CREATE TABLE {table} (id BIGINT)")
    with postgres.connect() as zombie:
        write(spark.range(10), postgres, table)
        job = zombie.execute("SELECT job_id FROM _firesteel_commits WHERE part = -2 ORDER BY ts DESC LIMIT 1").fetchone()[0]
        row = zombie.execute("SELECT 1 FROM _firesteel_commits WHERE job_id = %s AND part = -1 FOR SHARE", [job]).fetchone()
    assert row is None, "the gate a late attempt passes is gone"
    clean(postgres)


def test_what_a_killed_scheduler_left_is_cleared_by_the_next_write(folder, postgres, table, request):
    postgres.rows(f"CREATE TABLE {table} (id BIGINT)")
    home = folder / "killed"
    home.mkdir(exist_ok=True)
    first = services.Firesteel("local", home)
    session = first.session()
    thread = threading.Thread(target=lambda: pytest.raises(Exception, write, session.range(0, 30_000_000, 1, 4), postgres, table),
                              daemon=True)
    thread.start()
    services.wait_until("rows", lambda: postgres.rows("SELECT count(*) > 0 FROM pg_stat_progress_copy")[0][0], 30)
    first.main.kill()
    second = services.Firesteel("local", home)
    try:
        assert len(leftovers(postgres)) >= 1
        services.wait_until("the end of its connections", lambda: not postgres.rows(
            "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'firesteel %'"), 30)
        write(second.session().range(3), postgres, table)
        assert postgres.rows(f"SELECT count(*) FROM {table}") == [(3,)]
        assert leftovers(postgres) == []
    finally:
        second.stop()
