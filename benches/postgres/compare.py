"""Rows a second into and out of PostgreSQL; see ../postgres.sh."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from measure import timed  # noqa: E402

COLUMNS = ("id BIGINT, part INT, line INT, quantity NUMERIC(15,2), price NUMERIC(15,2), rate DOUBLE PRECISION, flag TEXT, "
           "shipped DATE, at TIMESTAMPTZ, comment TEXT")
ROWS = ("SELECT i AS id, (i * 7919 % 200000)::int, (i % 7)::int, (i % 50)::numeric(15,2), (i % 100000 / 100.0)::numeric(15,2), "
        "i / 7.0::float8, chr(65 + (i % 3)::int), DATE '1992-01-01' + (i % 2500)::int, "
        "TIMESTAMPTZ '2020-01-01 00:00:00+00' + i * INTERVAL '1 s', 'comment number ' || i FROM generate_series(1::bigint, {rows}) i")
SUM = ("sum(id), sum(part), sum(line), sum(quantity), sum(price), sum(rate), max(flag), max(shipped), max(at), sum(length(comment))")


def psql(postgres, sql, *more):
    binary = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/psql"))[-1]
    subprocess.run([binary, "-q", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "spark", "-d", "postgres", "-c", sql],
                   check=True, env={**os.environ, "PGPASSWORD": postgres.password}, stdout=subprocess.DEVNULL)


def spark_side(chosen):
    """Runs inside a Python with a full PySpark; prints seconds as JSON."""
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master("local[2]").config("spark.jars", chosen.driver).config("spark.ui.enabled", "false")
             .config("spark.driver.memory", "4g").config("spark.sql.session.timeZone", "UTC").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    options = {"url": chosen.url, "user": "spark", "password": chosen.password, "driver": "org.postgresql.Driver"}
    rows = spark.read.parquet(chosen.parquet).coalesce(1)
    rows.count()
    result = {}
    result["write"] = timed(chosen.runs, lambda: rows.write.format("jdbc").mode("overwrite").option("truncate", "true")
                            .options(**options, dbtable="target").save())
    def read():
        spark.read.format("jdbc").options(**options, dbtable="source").load().selectExpr(*SUM.split(", ")).collect()
    result["read"] = timed(chosen.runs, read)
    print("RESULT " + json.dumps(result))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rows", type=int, default=2_000_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--spark", help="a Python with a full PySpark")
    arguments.add_argument("--driver", help="PostgreSQL's JDBC driver")
    for inner in ("--url", "--password", "--parquet"):
        arguments.add_argument(inner)
    chosen = arguments.parse_args()
    if chosen.url:
        return spark_side(chosen)
    import services

    with tempfile.TemporaryDirectory(prefix="firesteel-bench-", ignore_cleanup_errors=True) as folder:
        postgres = services.Postgres(folder)
        server = services.Firesteel("local", folder, memory="4g")
        try:
            compare(chosen, folder, postgres, server)
        finally:
            server.stop()
            postgres.stop()


def compare(chosen, folder, postgres, server):
    runs, file = chosen.runs, f"{folder}/rows.bin"
    postgres.rows(f"CREATE TABLE source ({COLUMNS}); CREATE TABLE target ({COLUMNS})")
    postgres.rows("INSERT INTO source " + ROWS.format(rows=chosen.rows))
    postgres.rows("VACUUM ANALYZE source")
    empty = lambda: postgres.rows("TRUNCATE target; CHECKPOINT")  # noqa: E731
    psql(postgres, f"\\copy source TO '{file}' (FORMAT BINARY)")
    size = os.path.getsize(file) / 1e6
    table = []
    table.append(("write", "psql \\copy binary", timed(runs, lambda: psql(postgres, f"\\copy target FROM '{file}' (FORMAT BINARY)"), empty)))
    table.append(("read", "psql \\copy binary", timed(runs, lambda: psql(postgres, "\\copy source TO '/dev/null' (FORMAT BINARY)"))))
    spark = server.session()
    options = {**postgres.options, "dbtable": "source", "pushDownAggregate": "false"}
    parquet = f"{folder}/parquet"
    spark.read.format("jdbc").options(**options, numPartitions="1").load().write.parquet(parquet)
    rows = spark.read.parquet(parquet)
    into = {**postgres.options, "dbtable": "target"}

    def write(**more):
        rows.write.format("jdbc").mode("append").options(**into, **more).save()

    def read(**more):
        spark.read.format("jdbc").options(**options, **more).load().selectExpr(*SUM.split(", ")).collect()

    table.append(("write", "firesteel, 1 connection", timed(runs, lambda: write(numPartitions="1"), empty)))
    got = postgres.rows("SELECT (SELECT count(*) FROM (SELECT * FROM target EXCEPT ALL SELECT * FROM source) d), (SELECT count(*) FROM target)")
    assert got == [(0, chosen.rows)], got
    table.append(("write", "firesteel, staged", timed(runs, write, empty)))
    table.append(("read", "firesteel, 1 connection", timed(runs, lambda: read(numPartitions="1"))))
    table.append(("read", "firesteel, as it comes", timed(runs, read)))
    if chosen.spark and chosen.driver:
        # The client's mode is not for a Spark of its own.
        own = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK", "PYSPARK"))}
        done = subprocess.run([chosen.spark, __file__, "--runs", str(runs), "--driver", chosen.driver, "--url", postgres.url,
                               "--password", postgres.password, "--parquet", parquet], stdout=subprocess.PIPE, text=True, check=True, env=own)
        result = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("RESULT ")).removeprefix("RESULT "))
        table += [("write", "Spark JDBC, 1 connection", result["write"]), ("read", "Spark JDBC, default", result["read"])]
    print(f"\n{chosen.rows} rows, {size:.0f} MB as COPY BINARY, median of {runs}; memory of the server {server.main.memory_mb(peak=True):.0f} MB at most\n")
    base = {kind: seconds for kind, name, seconds in table if name.startswith("psql")}
    jvm = {kind: seconds for kind, name, seconds in table if name.startswith("Spark")}
    print(f"{'':6} {'':26} {'s':>8} {'rows/s':>10} {'of psql':>8} {'of Spark':>9}")
    for kind, name, seconds in sorted(table, key=lambda row: row[0], reverse=True):
        of_spark = f"{jvm[kind] / seconds:8.1f}x" if kind in jvm else ""
        print(f"{kind:6} {name:26} {seconds:8.2f} {chosen.rows / seconds:10.0f} {base[kind] / seconds:7.2f}x {of_spark:>9}")


if __name__ == "__main__":
    main()
