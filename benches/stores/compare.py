"""Rows a second into and out of ClickHouse and S3, and the memory that takes; see ../stores.sh."""
import argparse
import concurrent.futures
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import measure  # noqa: E402
import services  # noqa: E402

COLUMNS = ("l_orderkey Int64, l_partkey Int64, l_suppkey Int64, l_linenumber Int32, l_quantity Decimal(15,2), l_extendedprice Decimal(15,2), "
           "l_discount Decimal(15,2), l_tax Decimal(15,2), l_returnflag String, l_linestatus String, l_shipdate Date32, l_commitdate Date32, "
           "l_receiptdate Date32, l_shipinstruct String, l_shipmode String, l_comment String")
# Every column is read.
SUMS = ["count(*)", "sum(l_orderkey)", "sum(l_partkey)", "sum(l_suppkey)", "sum(l_linenumber)", "sum(l_quantity)", "sum(l_extendedprice)",
        "sum(l_discount)", "sum(l_tax)", "max(l_returnflag)", "max(l_linestatus)", "max(l_shipdate)", "max(l_commitdate)", "max(l_receiptdate)",
        "max(l_shipinstruct)", "max(l_shipmode)", "sum(length(l_comment))"]
MILLION = 1_000_000
# Rows of a client's INSERT.
BLOCK = 500_000


class Table:
    """Lines of what was measured; the first of a kind is what the others are compared with."""

    def __init__(self, rows):
        self.rows, self.lines, self.base = rows, [], {}

    def add(self, kind, name, seconds):
        if seconds is None:
            return
        self.base.setdefault(kind, seconds)
        self.lines.append((kind, name, seconds))
        print(f"{kind}: {name}: {seconds:.2f} s", file=sys.stderr, flush=True)

    def show(self):
        print(f"{'':18} {'':44} {'s':>8} {'rows/s':>10} {'ratio':>7}")
        for kind, name, seconds in self.lines:
            print(f"{kind:18} {name:44} {seconds:8.2f} {self.rows / seconds:10.0f} {self.base[kind] / seconds:6.2f}x")


def lineitem(rows):
    """The first rows of TPC-H's lineitem as Arrow, with types that every engine takes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(measure.tpch(max(1, -(-rows // (6 * MILLION)))) / "lineitem.parquet").slice(0, rows)
    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    return table.cast(pa.schema([field.with_type(plain.get(field.type, field.type)) for field in table.schema]))


def bodies(table, rows):
    """A table as ArrowStream of so many rows each."""
    import pyarrow as pa

    for at in range(0, table.num_rows, rows):
        out = io.BytesIO()
        with pa.ipc.new_stream(out, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
            writer.write_table(table.slice(at, rows), max_chunksize=65_536)
        yield out.getvalue()


def clickhouse(chosen, spark, parquet, arrow, server, result):
    """Into a table that is there, and out of it."""
    server.execute(f"CREATE TABLE target ({COLUMNS}) ENGINE = MergeTree ORDER BY l_orderkey")
    empty = lambda: server.execute("TRUNCATE TABLE target")  # noqa: E731
    insert = "/?" + urllib.parse.urlencode({"query": "INSERT INTO target FORMAT ArrowStream"})
    whole, blocks = list(bodies(arrow, arrow.num_rows)), list(bodies(arrow, BLOCK))
    best = lambda work, before=lambda: None: measure.timed(chosen.runs, work, before, min)  # noqa: E731
    send = {"one INSERT": lambda: [server.post(insert, body) for body in whole],
            f"INSERTs of {BLOCK} rows": lambda: [server.post(insert, body) for body in blocks]}
    sent = sorted((best(work, empty), name) for name, work in send.items())
    for seconds, name in sent:
        result.add("ClickHouse write", f"the engine's own Arrow insert, {name}", seconds)
    rows = spark.read.parquet(parquet)
    options = {**server.options, "table": "target"}

    def write(**more):
        rows.write.format("clickhouse").mode("append").options(**options, **more).save()

    def read():
        spark.read.format("clickhouse").options(**options).load().selectExpr(*SUMS).collect()

    result.add("ClickHouse write", "firesteel, all or nothing", best(write, empty))
    assert server.rows("SELECT count() FROM target") == [[arrow.num_rows]]
    result.add("ClickHouse write", "firesteel, write.atomic=false", best(lambda: write(**{"write.atomic": "false"}), empty))
    assert server.rows("SELECT count() FROM target") == [[arrow.num_rows]]
    result.add("ClickHouse read", "the engine's own answer in Arrow", best(lambda: server.post("/", b"SELECT * FROM target FORMAT ArrowStream")))
    result.add("ClickHouse read", "firesteel", best(read))
    server.execute("DROP TABLE target SYNC")


def raw(client, files, keys, threads):
    """Puts files to S3, or gets them where there are none, with as many clients of their own."""
    def one(key, file):
        url = client.generate_presigned_url("put_object" if file else "get_object", {"Bucket": services.BUCKET, "Key": key})
        subprocess.run(["curl", "-sSf", "-o", "/dev/null", *(["-T", file] if file else []), url], check=True)

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, keys, files or [None] * len(keys)))


def s3(chosen, spark, parquet, folder, store, result):
    """Parquet on the local disk, the same in S3, and what S3 does with the bytes alone."""
    rows, here, there = spark.read.parquet(parquet), f"{folder}/local", f"s3://{services.BUCKET}/table"
    best = lambda work, before=lambda: None: measure.timed(chosen.runs, work, before, min)  # noqa: E731

    def write(target):
        return best(lambda: rows.write.mode("overwrite").parquet(target), lambda: os.sync())

    def scan(target):
        return best(lambda: spark.read.parquet(target).selectExpr(*SUMS).collect())

    result.add("S3 write", "firesteel, parquet on local disk", write(here))
    files = [str(file) for file in pathlib.Path(here).glob("*.parquet")]
    client, keys, threads = store.client(), [f"raw/{pathlib.Path(file).name}" for file in files], os.cpu_count()
    result.add("S3 write", f"the bytes alone, {threads} clients", best(lambda: raw(client, files, keys, threads), lambda: os.sync()))
    result.add("S3 write", "firesteel, parquet in S3", write(there))
    result.add("S3 scan", "firesteel, parquet on local disk", scan(here))
    result.add("S3 scan", f"the bytes alone, {threads} clients", best(lambda: raw(client, None, keys, threads)))
    result.add("S3 scan", "firesteel, parquet in S3", scan(there))
    return sum(os.path.getsize(file) for file in files) / 1e6


def memory(chosen, folder, store, server):
    """The peak of two executors that copy from one million rows on, each size on a cluster of its own."""
    import pyarrow.parquet as pq

    one = pathlib.Path(folder) / "million.parquet"
    pq.write_table(lineitem(MILLION).select(["l_orderkey", "l_quantity", "l_extendedprice", "l_shipdate", "l_comment"]), one)
    print(f"\n{'million rows':>12} {'S3 write':>10} {'S3 scan':>10} {'ClickHouse write':>18}   peak MB of an executor, 2 GiB each")
    for millions in map(int, chosen.memory.split(",")):
        home = pathlib.Path(folder) / f"memory-{millions}"
        (home / "source").mkdir(parents=True)
        for number in range(millions):
            # The same rows under many names take no more room.
            os.link(one, home / "source" / f"{number:03}.parquet")
        cluster = services.Firesteel("cluster", home, store.env, memory="2g")
        try:
            spark, peaks = cluster.session(), []
            peak = lambda: peaks.append(max(executor.memory_mb(peak=True) for executor in cluster.executors))  # noqa: E731
            rows = spark.read.parquet(str(home / "source"))
            target = f"s3://{services.BUCKET}/memory"
            rows.write.mode("overwrite").parquet(target)
            peak()
            read = spark.read.parquet(target).selectExpr("count(*)", "sum(l_orderkey)", "max(l_comment)").collect()
            assert read[0][0] == millions * MILLION
            peak()
            rows.write.format("clickhouse").mode("overwrite").options(**server.options, table="memory").save()
            assert server.rows("SELECT count() FROM memory") == [[millions * MILLION]]
            server.execute("DROP TABLE memory SYNC")
            peak()
            print(f"{millions:12} {peaks[0]:10.0f} {peaks[1]:10.0f} {peaks[2]:18.0f}", flush=True)
        finally:
            cluster.stop()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=6_000_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--memory", default="1,10", help="millions of rows whose memory is looked at; empty for none")
    arguments.add_argument("--only", default="clickhouse,s3", help="what is measured")
    arguments.add_argument("--apart", action="store_true",
                           help="the stores have one half of the cores and Firesteel the other, as on machines of their own")
    chosen = arguments.parse_args()
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory(prefix="firesteel-bench-", ignore_cleanup_errors=True) as folder:
        cores = sorted(os.sched_getaffinity(0))
        # What is started has the cores of who starts it.
        half = lambda which: os.sched_setaffinity(0, which) if chosen.apart else None  # noqa: E731
        half(cores[:len(cores) // 2])
        store, engine = services.S3(folder), services.ClickHouse(folder)
        half(cores[len(cores) // 2:])
        server = services.Firesteel("local", folder, store.env, memory="4g")
        try:
            arrow = lineitem(chosen.rows)
            parquet = f"{folder}/lineitem.parquet"
            pq.write_table(arrow, parquet)
            result, size = Table(arrow.num_rows), 0
            if "clickhouse" in chosen.only:
                clickhouse(chosen, server.session(), parquet, arrow, engine, result)
            if "s3" in chosen.only:
                size = s3(chosen, server.session(), parquet, folder, store, result)
            peak = server.main.memory_mb(peak=True)
            server.stop()
            print(f"\n{arrow.num_rows} rows of TPC-H lineitem, {size:.0f} MB as Parquet, best of {chosen.runs}; memory of the server "
                  f"{peak:.0f} MB at most; {'stores and Firesteel on cores of their own' if chosen.apart else 'all on the same cores'}\n")
            result.show()
            if chosen.memory:
                memory(chosen, folder, store, engine)
        finally:
            server.stop()
            engine.stop()
            store.process.stop()


if __name__ == "__main__":
    main()
