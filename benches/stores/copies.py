"""TPC-H lineitem from S3 into PostgreSQL and back to S3, on two executors of 2 GiB each; see ../copies.sh."""
import argparse
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import measure  # noqa: E402
import services  # noqa: E402

LIMIT = 2 * 1024**3
# What tests and users of a container of 2 GiB get by default: 70 % of it.
MEMORY = "1433m"
SUMS = "count(*), sum(l_orderkey), sum(l_quantity), sum(l_extendedprice), max(l_shipdate), sum(length(l_comment))"


def facts(files, filesystem=None):
    """The sums of Parquet files, by Arrow's own reader."""
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    columns = ["l_orderkey", "l_quantity", "l_extendedprice", "l_shipdate", "l_comment"]
    count, order, quantity, price, shipped, comment = 0, 0, 0, 0, None, 0
    for batch in ds.dataset(files, filesystem=filesystem, format="parquet").to_batches(columns=columns):
        if batch.num_rows:
            count += batch.num_rows
            order += pc.sum(batch["l_orderkey"]).as_py()
            quantity += pc.sum(batch["l_quantity"]).as_py()
            price += pc.sum(batch["l_extendedprice"]).as_py()
            day = pc.max(batch["l_shipdate"]).as_py()
            shipped = day if shipped is None else max(shipped, day)
            comment += pc.sum(pc.utf8_length(batch["l_comment"].cast("string"))).as_py()
    return count, order, quantity, price, shipped, comment


class Run:
    def __init__(self, folder, s3, postgres):
        self.s3, self.postgres, self.table = s3, postgres, []
        self.server = services.Firesteel("cluster", folder, s3.env, executors=2, memory=MEMORY)
        self.bounded = all([measure.bound_memory(executor, LIMIT) for executor in self.server.executors])

    def step(self, name, work):
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
        alive = [executor for executor in self.server.executors if executor.popen.poll() is None]
        assert len(alive) == 2, "an executor ended"
        peaks = [process.memory_mb(peak=True) for process in [*alive, self.server.main]]
        self.table.append((name, seconds, peaks))
        print(f"{name:24} {seconds:8.1f} s   peak MB {[round(peak) for peak in peaks]}", flush=True)

    def stop(self):
        self.server.stop()
        for executor in self.server.executors:
            measure.unbound_memory(executor)


def copy(run, source, chosen):
    spark = run.server.session()
    expected = facts(str(source))
    assert measure.free_gb("/tmp") > chosen.free_gb, "too little room on the disk"
    client = run.s3.client()
    client.create_bucket(Bucket="source")
    client.upload_file(str(source), "source", "lineitem/lineitem.parquet")
    options = {**run.postgres.options, "dbtable": "lineitem"}
    rows = spark.read.parquet("s3://source/lineitem")
    rows.limit(0).write.format("jdbc").options(**options).save()
    run.step("S3 -> PostgreSQL", lambda: rows.write.format("jdbc").mode("append").options(**options, writeStrategy=chosen.strategy).save())
    got = run.postgres.rows(f"SELECT {SUMS} FROM lineitem")[0]
    assert got == expected, f"{got} in PostgreSQL, {expected} in the source"
    # The store frees the room of a bucket with the bucket.
    client.delete_object(Bucket="source", Key="lineitem/lineitem.parquet")
    client.delete_bucket(Bucket="source")
    back = spark.read.format("jdbc").options(**options, numPartitions="4").load()
    run.step("PostgreSQL -> S3", lambda: back.write.parquet(f"s3://{services.BUCKET}/back"))
    import pyarrow.fs as fs

    store = fs.S3FileSystem(access_key=services.S3_KEY, secret_key=services.S3_SECRET, region="us-east-1", endpoint_override=run.s3.endpoint)
    got = facts(f"{services.BUCKET}/back", store)
    assert got == expected, f"{got} back in S3, {expected} in the source"
    return expected[0]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sf", default="10")
    arguments.add_argument("--strategy", default="direct", choices=["direct", "staged"], help="staged needs twice the room")
    arguments.add_argument("--free-gb", type=float, default=25, help="room on the disk without which nothing is begun")
    chosen = arguments.parse_args()
    source = measure.tpch(chosen.sf) / "lineitem.parquet"
    with tempfile.TemporaryDirectory(prefix="firesteel-bench-", ignore_cleanup_errors=True) as folder:
        s3 = services.S3(folder)
        postgres = services.Postgres(folder)
        run = Run(folder, s3, postgres)
        try:
            count = copy(run, source, chosen)
        finally:
            run.stop()
            postgres.stop()
            s3.process.stop()
    bound = "in cgroups of 2 GiB" if run.bounded else "without a bound by the kernel"
    print(f"\nTPC-H SF {chosen.sf} lineitem, {count} rows, two executors {bound}; counts and sums are equal\n")
    print(f"{'':24} {'s':>8} {'rows/s':>10} {'peak MB of executors and scheduler':>36}")
    for name, seconds, peaks in run.table:
        print(f"{name:24} {seconds:8.1f} {count / seconds:10.0f} {' '.join(f'{peak:.0f}' for peak in peaks):>36}")


if __name__ == "__main__":
    main()
