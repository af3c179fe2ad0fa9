"""What every target of writes must do, whatever it is: save modes, failures, interruptions, deaths, late writers.

What only one of them can do, its types and what its server may refuse, is in its own files.
"""
import os
import signal
import threading

import jdbc
import pytest
import services
import sinks
from pyspark.errors import PySparkException
from pyspark.sql import functions as F


@pytest.fixture(params=sinks.TARGETS)
def target(request):
    return sinks.of(request, request.param)


@pytest.fixture
def table(target, request):
    name = jdbc.name_of(request)
    target.drop(name)
    yield name
    target.drop(name)


def frame(spark, first, last, partitions=4):
    return spark.range(first, last, 1, partitions).withColumn("v", F.concat(F.lit("value "), "id"))


def clean(target):
    """Waits until nothing is left: an undone write clears up after its caller has the error."""
    services.wait_until(f"clean-up ({target.left()})", lambda: not target.left(), 20)


def in_background(work):
    """Runs `work`; gives its thread, and a list that holds its error, or None, once it has ended."""
    outcome = []

    def run():
        try:
            work()
            outcome.append(None)
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, outcome


def test_save_modes(spark, target, table):
    target.write(frame(spark, 0, 3), table, "error")
    assert target.count(table) == (3, 3)
    with pytest.raises(PySparkException, match="(?i)already exists"):
        target.write(frame(spark, 3, 9), table, "error")
    target.write(frame(spark, 3, 9), table, "ignore")
    assert target.count(table) == (3, 3)
    target.write(frame(spark, 3, 10), table, "append")
    assert target.count(table) == (10, 10)
    target.write(frame(spark, 0, 5), table, "overwrite")
    assert target.count(table) == (5, 5)
    target.write(frame(spark, 0, 0), table, "overwrite")
    assert target.count(table) == (0, 0)
    clean(target)


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_row_that_fails_late_leaves_what_was_there(spark, target, table, mode):
    target.make(table)
    target.write(frame(spark, 0, 10), table)
    late = frame(spark, 0, 200_000).select("id", (F.lit(1) / (F.col("id") - 199_999)).cast("string").alias("v"))
    with pytest.raises(PySparkException, match="DIVIDE_BY_ZERO"):
        target.write(late, table, mode)
    assert target.count(table) == (10, 10)
    clean(target)
    if isinstance(target, sinks.S3):
        services.wait_until("uploads that are dropped", lambda: not target.uploads(table), 20)


def test_an_interrupted_write_leaves_nothing(spark, target, table):
    target.make(table)
    thread, outcome = in_background(lambda: target.write(frame(spark, 0, 20_000_000), table))
    services.wait_until("rows", lambda: target.begun() or outcome, 60)
    spark.interruptAll()
    thread.join(60)
    assert outcome and outcome[0] is not None
    clean(target)
    assert target.count(table) == (0, 0)


def test_a_scheduler_that_dies_before_its_commit_leaves_all_or_nothing(folder, store_env, target, table):
    target.make(table)
    home = folder / "crash"
    home.mkdir(exist_ok=True)
    server = services.Firesteel("local", home, store_env)
    try:
        session = server.session()
        target.write(frame(session, 0, 10), table)
        with target.uncommitted(table, session) as waits:
            _, outcome = in_background(lambda: target.write(frame(session, 10, 1000), table))
            services.wait_until("a write at its end", lambda: waits() or outcome, 60)
            assert not outcome, outcome
            server.main.kill()
        server = services.Firesteel("local", home, store_env)
        services.wait_until("rows that stay", lambda: stays(target, table), 30)
        before = target.count(table)
        assert before in [(10, 10), (1000, 1000)], before
        target.write_after_a_death(frame(server.session(), 1000, 1005), table)
        assert target.count(table) == (before[0] + 5, before[0] + 5)
        clean(target)
    finally:
        server.stop()


def stays(target, table):
    """Whether rows are as many after a while: a statement the server had already may still be done."""
    counts = set()
    for _ in range(4):
        counts.add(target.count(table))
        threading.Event().wait(0.5)
    return len(counts) == 1


@pytest.fixture(scope="module")
def source(folder):
    """Files, so that executors do the work."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    home = folder / "conformance-source"
    home.mkdir(exist_ok=True)
    for part in range(8):
        ids = range(part * 50_000, (part + 1) * 50_000)
        pq.write_table(pa.table({"id": pa.array(ids, pa.int64())}), home / f"{part}.parquet")
    return str(home)


def test_a_writer_that_was_taken_for_dead_adds_nothing(folder, store_env, source, target, table):
    """An executor is stopped while it writes, its tasks are done by another, and then it goes on."""
    target.make(table)
    home = folder / "zombie"
    home.mkdir(exist_ok=True)
    server = services.Firesteel("cluster", home, store_env)
    try:
        rows = server.session().read.parquet(source).repartition(8, "id").withColumn("v", F.repeat(F.lit("x"), 200))
        thread, outcome = in_background(lambda: target.write(rows, table))
        services.wait_until("rows", lambda: target.begun() or outcome, 60)
        zombie = server.executors[0]
        os.kill(zombie.popen.pid, signal.SIGSTOP)
        thread.join(150)
        assert outcome == [None], outcome
        assert target.count(table) == (400_000, 400_000)
        os.kill(zombie.popen.pid, signal.SIGCONT)
        services.wait_until("rows that stay", lambda: stays(target, table), 30)
        assert target.count(table) == (400_000, 400_000)
        clean(target)
    finally:
        server.stop()
