"""Writes of twenty partitions whose task, executor or scheduler is killed at a random moment: each row once, or none.

Every run has a seed, which decides who is killed and when. `FIRESTEEL_KILLS=500` makes as many runs; a few are made otherwise.
"""
import os
import random
import threading
import time

import pytest
import services
import sinks
from pyspark.sql import functions as F

RUNS = int(os.environ.get("FIRESTEEL_KILLS", "9"))
FIRST = int(os.environ.get("FIRESTEEL_KILLS_FROM", "0"))
ROWS, PARTITIONS = 200_000, 20
VICTIMS = ["task", "executor", "scheduler"]


class Cluster:
    """A cluster whose processes die and come back under the same addresses."""

    def __init__(self, folder, env):
        self.server = services.Firesteel("cluster", folder, env)
        self.ids = iter(range(1_000_000))
        self.stopping = threading.Event()
        threading.Thread(target=self.keep, daemon=True).start()

    def keep(self):
        """Starts executors again that ended, as Kubernetes does: one that was silent for too long is told to go by its scheduler."""
        while not self.stopping.wait(0.2):
            for at, executor in enumerate(self.server.executors):
                if executor.popen.poll() is not None:
                    self.server.executors[at] = services.Process(
                        f"executor-again-{next(self.ids)}", executor.popen.args, self.server.folder, self.server.env)

    def kill(self, victim, chance, session):
        if victim == "task":
            session.interruptAll()
        elif victim == "executor":
            chance.choice(self.server.executors).kill()
        else:
            self.server.main.kill()
            self.server.main = services.Process("scheduler", self.server.main.popen.args, self.server.folder, self.server.env)

    def ready(self):
        services.wait_until("scheduler", lambda: services.listening(self.server.connect_port), 30, self.server.main.popen)
        self.server.wait_for_executors(2)

    def stop(self):
        self.stopping.set()
        self.server.stop()


@pytest.fixture(scope="module")
def cluster(folder, store_env):
    home = folder / "kills"
    home.mkdir(exist_ok=True)
    made = Cluster(home, store_env)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def source(folder):
    """Twenty files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = folder / "kills-source"
    target.mkdir(exist_ok=True)
    each = ROWS // PARTITIONS
    for part in range(PARTITIONS):
        ids = range(part * each, (part + 1) * each)
        pq.write_table(pa.table({"id": pa.array(ids, pa.int64()), "v": [f"value {i}" for i in ids]}), target / f"{part:02}.parquet")
    return str(target)


def frame(session, source):
    return session.read.parquet(source).repartition(PARTITIONS, "id").withColumn("v", F.concat("v", F.lit("!")))


@pytest.fixture(scope="module", params=sinks.TARGETS)
def target(request):
    return sinks.of(request, request.param)


@pytest.fixture(scope="module")
def usual(target, cluster, source):
    """Seconds such a write takes."""
    times = []
    for again in range(2):
        table = f"kills_usual_{again}"
        target.drop(table)
        target.make(table)
        started = time.time()
        target.write(frame(cluster.server.session(), source), table)
        times.append(time.time() - started)
        assert target.count(table) == (ROWS, ROWS)
        target.drop(table)
    return min(times)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + max(1, RUNS // len(sinks.TARGETS))))
def test_a_killed_write_is_whole_or_not_there(target, cluster, source, usual, seed):
    chance = random.Random(seed)
    victim, moment = VICTIMS[seed % len(VICTIMS)], chance.uniform(0, usual * 1.1)
    table = f"kills_{seed}"
    target.drop(table)
    target.make(table)
    cluster.ready()
    session = cluster.server.session()
    # A client that knows its server's id does not send a write again to another one. As the very first request of a session it
    # would, by PySpark's own rules, and Spark too would run it twice.
    session.range(1).collect()
    outcome = []

    def run():
        try:
            target.write(frame(session, source), table)
            outcome.append(None)
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    time.sleep(moment)
    cluster.kill(victim, chance, session)
    thread.join(90)
    assert outcome, f"{victim} killed after {moment:.2f} s: the write never ended"
    cluster.ready()
    said = f"{victim} killed after {moment:.2f} of {usual:.2f} s, the client was told {str(outcome[0])[:300]!r}"
    count = settled(target, table)
    assert count in ([(ROWS, ROWS)] if outcome[0] is None else [(0, 0), (ROWS, ROWS)]), f"{count}: {said}"
    # The next write to the same target clears up what the dead left.
    target.write_after_a_death(frame(cluster.server.session(), source).selectExpr("id - 1000000000 AS id", "v"), table)
    assert target.count(table) == (count[0] + ROWS, count[0] + ROWS), said
    services.wait_until(f"clean-up ({said}: {target.left()})", lambda: not target.left(), 30)
    target.drop(table)


def settled(target, table):
    """The rows of a table once nothing changes any more: a commit the client no longer waits for may still come."""
    count = target.count(table)
    for _ in range(40):
        time.sleep(0.25)
        before, count = count, target.count(table)
        if before == count and not target.left():
            break
    return count
