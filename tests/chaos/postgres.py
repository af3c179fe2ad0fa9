"""Seeded writes of 20 partitions into PostgreSQL, each with something killed at a random moment.

    tests/chaos/postgres.sh [--seeds 100] [--first 1] [--rows 200000]

After each: every row exactly once or not at all, and after the next write no staging is left. What is killed: an executor of
the cluster (SIGKILL), some or all of the write's server connections, the write itself (interrupt), an executor that is stopped
and let go when the job is over (a zombie), or nothing. The seed decides what, when, and how rows are written.
"""
import argparse
import collections
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))
import services  # noqa: E402
from jdbc import leftovers, write  # noqa: E402

MODES = {"append": ("append", {}), "overwrite": ("overwrite", {}), "upsert": ("append", {"upsertKeys": "id"}),
         "new": ("errorifexists", {}), "one": ("append", {"numPartitions": 1})}
KILLS = ["executor", "connections", "all connections", "interrupt", "zombie", "nothing"]
WRITE = "application_name LIKE 'firesteel %' AND application_name <> 'firesteel read'"


def kill(what, cluster, postgres, spark, dice):
    """Does the harm; returns what mends it once the job is over."""
    if what == "executor":
        victim = dice.choice(cluster.executors)
        victim.kill()
        cluster.executors.remove(victim)
        return cluster.add_executor
    if what == "zombie":
        victim = dice.choice(cluster.executors)
        victim.popen.send_signal(signal.SIGSTOP)
        return lambda: victim.popen.send_signal(signal.SIGCONT)
    if what in ("connections", "all connections"):
        part = "random() < 0.5" if what == "connections" else "true"
        postgres.rows(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {WRITE} AND {part}")
    if what == "interrupt":
        spark.interruptAll()
    return lambda: None


def run(seed, cluster, postgres, source, rows, usual):
    dice = random.Random(seed)
    name, what = dice.choice(list(MODES)), dice.choice(KILLS)
    mode, options = MODES[name]
    table = f"chaos_{seed}"
    postgres.rows(f"DROP TABLE IF EXISTS {table}")
    before = 0
    if name != "new":
        postgres.rows(f"CREATE TABLE {table} (id BIGINT{' PRIMARY KEY' if name == 'upsert' else ''}, pad TEXT); "
                      f"INSERT INTO {table} VALUES (-1, 'old')")
        before = 1
    spark = cluster.session()
    frame = spark.read.parquet(source).repartition(20, "id")
    outcome = []

    def work():
        try:
            write(frame, postgres, table, mode, **options)
            outcome.append("written")
        except Exception as error:
            outcome.append(f"failed: {str(error)[:100]!r}")

    thread = threading.Thread(target=work, daemon=True)
    started = time.time()
    thread.start()
    time.sleep(dice.uniform(0, usual))
    mend = kill(what, cluster, postgres, spark, dice)
    if what == "zombie":
        thread.join(dice.uniform(0, 20))
        mend()
        mend = lambda: None  # noqa: E731
    thread.join(180)
    wrong = [] if not thread.is_alive() else ["hangs"]
    took = time.time() - started
    mend()
    if what in ("executor", "zombie"):
        try:
            cluster.wait_for_executors(2, 60)
        except RuntimeError:
            pass
    ended = outcome[0] if outcome else "hangs"
    there = postgres.rows(f"SELECT to_regclass('{table}') IS NOT NULL")[0][0]
    found = postgres.rows(f"SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE id = -1) FROM {table}")[0] if there else (0, 0, 0)
    new, old = found[0] - found[2], found[2]
    if found[0] != found[1]:
        wrong.append(f"{found[0]} rows of {found[1]} ids")
    if new not in (0, rows):
        wrong.append(f"{new} rows of {rows}")
    if ended == "written" and new != rows:
        wrong.append("success without the rows")
    if old != (0 if name == "overwrite" and new else before):
        wrong.append(f"{old} old rows")
    # Any write that follows clears up after one that could not.
    deadline = time.time() + 30
    left = leftovers(postgres)
    while left and time.time() < deadline:
        time.sleep(1)
        try:
            write(cluster.session().range(1), postgres, "chaos_next", "overwrite")
        except Exception:
            pass
        left = leftovers(postgres)
    if left:
        wrong.append(f"left behind: {left}")
    postgres.rows(f"DROP TABLE IF EXISTS {table}, chaos_next")
    try:
        spark.stop()
    except Exception:
        pass
    print(f"seed {seed:5} {name:9} {what:16} {took:6.1f} s  {'rows in' if new else 'no rows':8} {ended[:110]}"
          f"{'  WRONG: ' + '; '.join(wrong) if wrong else ''}", flush=True)
    return what, ended.split(":")[0], bool(new), wrong


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seeds", type=int, default=100)
    arguments.add_argument("--first", type=int, default=1)
    arguments.add_argument("--rows", type=int, default=200_000)
    arguments.add_argument("--minutes", type=float, default=1e9)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="firesteel-chaos-", ignore_cleanup_errors=True) as folder:
        postgres = services.Postgres(folder)
        cluster = services.Firesteel("cluster", folder)
        tally, bad, done = collections.Counter(), [], 0
        try:
            spark = cluster.session()
            source = f"{folder}/source"
            spark.range(0, chosen.rows, 1, 4).selectExpr("id", "repeat('x', 50) AS pad").write.parquet(source)
            started = time.time()
            write(spark.read.parquet(source).repartition(20, "id"), postgres, "chaos_warm", "overwrite")
            usual = time.time() - started
            postgres.rows("DROP TABLE chaos_warm")
            for seed in range(chosen.first, chosen.first + chosen.seeds):
                if time.time() - started > chosen.minutes * 60:
                    break
                what, ended, new, wrong = run(seed, cluster, postgres, source, chosen.rows, usual)
                tally[(what, ended, "rows in" if new else "no rows")] += 1
                bad += [(seed, wrong)] if wrong else []
                done += 1
        finally:
            cluster.stop()
            postgres.stop()
    print(f"\n{done} seeds, a write takes {usual:.1f} s")
    for key, count in sorted(tally.items()):
        print(f"{count:5} {' / '.join(key)}")
    print(f"wrong: {bad}" if bad else "each row exactly once or not at all, nothing left behind")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
