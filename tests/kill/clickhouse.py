"""Kills something at a random moment of an all-or-nothing write of 20 partitions into ClickHouse, again and again.

`clickhouse.py --seeds 100 [--first 0]`, with FIRESTEEL_BIN as for the tests. Every seed appends or overwrites once and meets one misfortune: an
executor is killed, the answer to a request is lost, a request is refused, or the server is killed and started again.
Afterwards each row is there exactly once or not at all, and no staging table is left. Prints one line a seed, ends with
1 if any is wrong.
"""
import argparse
import pathlib
import random
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))
import services  # noqa: E402

ROWS = 40_000
STAGED = "SELECT name FROM system.tables WHERE startsWith(name, '_firesteel')"


def misfortune(dice, cluster, clickhouse):
    """What happens, and a function that makes it happen while the write runs."""
    kind = dice.choice(["executor", "executor", "lost", "lost", "refused", "server"])
    moment = dice.uniform(0.05, 1.5)
    match = dice.choice(["INSERT INTO", "INSERT INTO", "CREATE TABLE", "MOVE PARTITION", "ATTACH PARTITION", "EXCHANGE", "DROP TABLE"])
    if kind == "executor":
        def act():
            time.sleep(moment)
            victim = dice.choice(cluster.executors)
            victim.kill()
            cluster.executors.remove(victim)
            cluster.add_executor()
        return f"executor killed after {moment:.2f} s", act
    if kind == "server":
        skip = dice.randrange(40)
        clickhouse.faults({"match": dice.choice(["INSERT INTO", "MOVE PARTITION", ""]), "action": "die", "skip": skip})
        return f"server killed at a request, skipping {skip}", lambda: None
    action = dice.choice(["lose_before", "lose_after"]) if kind == "lost" else "refuse"
    skip = dice.randrange(20) if match in ("INSERT INTO", "MOVE PARTITION") else 0
    clickhouse.faults({"match": match, "action": action, "code": dice.choice([241, 497]), "skip": skip})
    return f"{action} {match}, skipping {skip}", lambda: None


def run(seed, cluster, clickhouse):
    dice = random.Random(seed)
    table = f"kill_{seed}"
    clickhouse.faults()
    clickhouse.execute(f"DROP TABLE IF EXISTS {table}")
    clickhouse.execute(f"CREATE TABLE {table} (id Int64, p Int64) ENGINE = MergeTree PARTITION BY p ORDER BY id")
    clickhouse.execute(f"INSERT INTO {table} SELECT -number - 1, 0 FROM numbers(100)")
    before = (100, -5050)
    mode = dice.choice(["append", "append", "overwrite"])
    session = cluster.session()
    frame = session.range(0, ROWS, 1, 20).repartition(20).selectExpr("id", "id % 3 AS p")
    new = (ROWS, ROWS * (ROWS - 1) // 2)
    after = (before[0] + new[0], before[1] + new[1]) if mode == "append" else new
    what, act = misfortune(dice, cluster, clickhouse)
    thread = threading.Thread(target=act)
    thread.start()
    writer = frame.write.format("clickhouse").mode(mode).options(**clickhouse.options).option("table", table)
    try:
        writer.option("write.batchSize", "500").option("write.retryInterval", "50ms").save()
        outcome, wanted = "written", {after}
    except Exception as error:
        # A failure whose text says that the outcome is unknown allows both.
        unknown = "unknown" in str(error) or clickhouse.process.popen.poll() is not None
        outcome, wanted = "failed", {before, after} if unknown else {before}
    thread.join()
    died = clickhouse.process.popen.poll() is not None
    if died:
        clickhouse.start()
    clickhouse.faults()
    cluster.wait_for_executors(2)
    for _ in range(100):
        if died or not clickhouse.rows(STAGED):
            break
        time.sleep(0.1)
    left = [name for (name,) in clickhouse.rows(STAGED)]
    if died:
        # Nobody could drop the tables of a server that was away; that is the administrator's part.
        for name in left:
            clickhouse.execute(f"DROP TABLE `{name}` SYNC")
        left = []
    found = tuple(clickhouse.rows(f"SELECT count(), sum(id) FROM {table}")[0])
    twice = clickhouse.rows(f"SELECT count() - uniqExact(id) FROM {table}")[0][0]
    right = found in wanted and not left and twice == 0
    print(f"{'ok   ' if right else 'WRONG'} seed {seed}: {mode}, {what}: {outcome}, {found[0]} rows, left {left}", flush=True)
    clickhouse.execute(f"DROP TABLE {table} SYNC")
    return right


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no seed after so many")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="firesteel-kill-", ignore_cleanup_errors=True) as folder:
        clickhouse = services.ClickHouse(folder)
        cluster = services.Firesteel("cluster", folder, executors=2, memory="1g")
        began, done, wrong = time.time(), 0, 0
        try:
            for seed in range(options.first, options.first + options.seeds):
                if time.time() - began > options.seconds:
                    break
                done += 1
                wrong += not run(seed, cluster, clickhouse)
        finally:
            cluster.stop()
            clickhouse.stop()
    print(f"{done} seeds, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
