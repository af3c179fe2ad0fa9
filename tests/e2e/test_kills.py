"""Writes of twenty partitions whose task, executor or scheduler is killed at a random moment: each row once, or none.

Every run has a seed, which decides who is killed and when. `FIRESTEEL_KILLS=500` makes as many runs; a few are made otherwise.
"""
import os
import random
import threading
import time

import pytest
import services
from pyspark.sql import functions as F

import jdbc

RUNS = int(os.environ.get("FIRESTEEL_KILLS", "9"))
FIRST = int(os.environ.get("FIRESTEEL_KILLS_FROM", "0"))
ROWS, PARTITIONS = 200_000, 20
TARGETS = ["postgres", "clickhouse", "s3"]
VICTIMS = ["task", "executor", "scheduler"]


class Postgres:
    def __init__(self, request):
        self.service = request.getfixturevalue("postgres")

    def make(self, table):
        self.service.rows(f"CREATE TABLE {table} (id BIGINT, v TEXT)")

    def write(self, frame, table):
        jdbc.write(frame, self.service, table)

    def count(self, table):
        return self.service.rows(f"SELECT count(*), count(DISTINCT id) FROM {table}")[0]

    def left(self):
        return jdbc.leftovers(self.service)

    def drop(self, table):
        self.service.rows(f"DROP TABLE IF EXISTS {table}")


class ClickHouse:
    def __init__(self, request):
        self.service = request.getfixturevalue("clickhouse")

    def make(self, table):
        self.service.execute(f"CREATE TABLE {table} (id Int64, v String) ENGINE = MergeTree ORDER BY id")

    def write(self, frame, table, **options):
        frame.write.format("clickhouse").mode("append").options(**self.service.options, table=table, **options).save()

    def count(self, table):
        return tuple(int(n) for n in self.service.rows(f"SELECT count(), uniqExact(id) FROM {table}")[0])

    def left(self):
        return self.service.rows("SELECT name FROM system.tables WHERE name LIKE '\\\\_firesteel%'")

    def drop(self, table):
        self.service.execute(f"DROP TABLE IF EXISTS {table}")


class S3:
    """What is not committed there is an upload that was never completed, which no reader sees."""

    def __init__(self, request):
        self.service = request.getfixturevalue("s3")

    def make(self, table):
        pass

    def write(self, frame, table):
        frame.write.mode("append").parquet(f"s3://{services.BUCKET}/kills/{table}")

    def count(self, table):
        import pyarrow.compute as pc
        import pyarrow.fs as fs
        import pyarrow.parquet as pq

        if not any(key.endswith(".parquet") for key in self.service.keys(f"kills/{table}")):
            return 0, 0
        store = fs.S3FileSystem(access_key=services.S3_KEY, secret_key=services.S3_SECRET, region="us-east-1",
                                endpoint_override=self.service.endpoint)
        ids = pq.read_table(f"{services.BUCKET}/kills/{table}", filesystem=store, columns=["id"])["id"]
        return len(ids), pc.count_distinct(ids).as_py()

    def left(self):
        return [key for key in self.service.keys("kills/") if "/_temporary" in key]

    def drop(self, table):
        for key in self.service.keys(f"kills/{table}"):
            self.service.client().delete_object(Bucket=services.BUCKET, Key=key)


class Cluster:
    """A cluster whose processes die and come back under the same addresses."""

    def __init__(self, folder, env):
        self.server = services.Firesteel("cluster", folder, env)
        self.ids = iter(range(1_000_000))

    def kill(self, victim, chance, session):
        if victim == "task":
            session.interruptAll()
        elif victim == "executor":
            dead = chance.choice(self.server.executors)
            dead.kill()
            self.server.executors.remove(dead)
            self.server.executors.append(services.Process(
                f"executor-again-{next(self.ids)}", dead.popen.args, self.server.folder, self.server.env))
        else:
            self.server.main.kill()
            self.server.main = services.Process("scheduler", self.server.main.popen.args, self.server.folder, self.server.env)

    def ready(self):
        services.wait_until("scheduler", lambda: services.listening(self.server.connect_port), 30, self.server.main.popen)
        self.server.wait_for_executors(2)


@pytest.fixture(scope="module")
def cluster(folder, store_env):
    home = folder / "kills"
    home.mkdir(exist_ok=True)
    made = Cluster(home, store_env)
    yield made
    made.server.stop()


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


@pytest.fixture(scope="module", params=TARGETS)
def target(request):
    return {"postgres": Postgres, "clickhouse": ClickHouse, "s3": S3}[request.param](request)


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


@pytest.mark.parametrize("seed", range(FIRST, FIRST + max(1, RUNS // len(TARGETS))))
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
    # ClickHouse has no locks that would tell whether the dead are dead, so an age does.
    options = {"write.stagingMaxAge": "0"} if isinstance(target, ClickHouse) else {}
    target.write(frame(cluster.server.session(), source).selectExpr("id - 1000000000 AS id", "v"), table, **options)
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
