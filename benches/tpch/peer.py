#!/usr/bin/env python3
"""Runs the queries in one peer, inside this process or behind it, and prints {"times": ..., "peak_mb": ...}.

usage: peer.py ENGINE DATA RUNS CORES QUERY...
"""
import json
import os
import pathlib
import resource
import sys
import time


def tables(data):
    return {f.stem: str(f) for f in pathlib.Path(data).glob("*.parquet")}


def datafusion(data, cores):
    from datafusion import RuntimeEnvBuilder, SessionConfig, SessionContext

    context = SessionContext(SessionConfig().with_target_partitions(cores), RuntimeEnvBuilder())
    for name, path in tables(data).items():
        context.register_parquet(name, path)
    return lambda sql: context.sql(sql).collect()


def duckdb(data, cores):
    import duckdb

    connection = duckdb.connect(config={"threads": cores})
    for name, path in tables(data).items():
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM '{path}'")
    return lambda sql: connection.execute(sql).fetchall()


def connect(start):
    def make(data, cores):
        spark = start(cores)
        for name, path in tables(data).items():
            spark.read.parquet(path).createOrReplaceTempView(name)
        return lambda sql: spark.sql(sql).toArrow()

    return make


def pysail(cores):
    os.environ["SAIL_EXECUTION__DEFAULT_PARALLELISM"] = str(cores)
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer(port=0)
    server.start()
    _, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    session._keeps = server
    return session


def spark(cores):
    from pyspark.sql import SparkSession

    return SparkSession.builder.master(f"local[{cores}]").config("spark.driver.memory", "8g").getOrCreate()


ENGINES = {"datafusion": datafusion, "duckdb": duckdb, "pysail": connect(pysail), "spark": connect(spark)}


def main():
    engine, data, runs, cores, *queries = sys.argv[1:]
    run = ENGINES[engine](data, int(cores))
    times = {}
    for query in map(pathlib.Path, queries):
        times[query.stem] = None
        for _ in range(int(runs)):
            started = time.perf_counter()
            try:
                run(query.read_text())
            except Exception as error:
                print(f"{query.stem}: {error}", file=sys.stderr)
                break
            elapsed = time.perf_counter() - started
            times[query.stem] = min(times[query.stem] or elapsed, elapsed)
    own, children = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"times": times, "peak_mb": max(own, children)}))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
