#!/usr/bin/env python3
"""Times the TPC-H queries on several engines, one after the other, and prints one table.

Every engine runs in processes of its own, with the same number of cores; a query's time ends when the client holds all rows. Memory is the
peak resident size of the engine's processes, summed.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
import measure  # noqa: E402
import services  # noqa: E402

QUERIES = sorted((HERE / "queries").glob("q*.sql"))


def run_connect(spark, data, queries, runs):
    """Best time of each query over Spark Connect."""
    for file in data.glob("*.parquet"):
        spark.read.parquet(str(file)).createOrReplaceTempView(file.stem)
    times = {}
    for query in queries:
        best = None
        for _ in range(runs):
            started = time.perf_counter()
            try:
                spark.sql(query.read_text()).toArrow()
            except Exception as error:
                print(f"  {query.stem}: {str(error)[:200]}", file=sys.stderr)
                break
            elapsed = time.perf_counter() - started
            best = elapsed if best is None else min(best, elapsed)
        times[query.stem] = best
    return times


def firesteel(kind, data, queries, runs, cores, memory):
    with tempfile.TemporaryDirectory(prefix="firesteel-bench-", ignore_cleanup_errors=True) as folder:
        server = services.Firesteel(kind, folder, executors=cores, memory=memory)
        try:
            times = run_connect(server.session(), data, queries, runs)
            peak = sum(p.memory_mb(peak=True) for p in [server.main, *server.executors])
            return times, peak
        finally:
            server.stop()


def script(python, name, data, queries, runs, cores):
    """An engine that runs inside a Python process of its own: `peer.py` prints JSON."""
    result = subprocess.run([python, HERE / "peer.py", name, data, str(runs), str(cores), *map(str, queries)],
                            capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(result.stderr.strip().splitlines()[-1] if result.stderr.strip() else "no output")
    answer = json.loads(result.stdout.strip().splitlines()[-1])
    return answer["times"], answer["peak_mb"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=sys.executable, help="Python with the peers installed")
    parser.add_argument("--sf", default="1")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--engines", default="datafusion,firesteel,cluster,pysail,duckdb,spark")
    parser.add_argument("--queries", default="")
    parser.add_argument("--memory", default="12g", help="memory of one process of Firesteel")
    args = parser.parse_args()
    data = measure.tpch(args.sf)
    wanted = {f"q{int(q):02d}" for q in args.queries.split(",") if q}
    queries = [q for q in QUERIES if not wanted or q.stem in wanted]
    cores = os.cpu_count() or 2
    results = {}
    for engine in args.engines.split(","):
        print(f"running {engine} ...", file=sys.stderr, flush=True)
        try:
            if engine in ("firesteel", "cluster"):
                kind = "local" if engine == "firesteel" else "cluster"
                results[engine] = firesteel(kind, data, queries, args.runs, cores, args.memory)
            else:
                results[engine] = script(args.peers, engine, data, queries, args.runs, cores)
        except Exception as reason:
            print(f"  {engine} left out: {reason}", file=sys.stderr)
    names = list(results)
    print(f"\nTPC-H SF {args.sf}, {cores} cores, seconds (best of {args.runs}); ratio to plain DataFusion")
    print("query  " + "".join(f"{n:>18}" for n in names))
    base = results.get("datafusion", ({}, 0))[0]
    for query in queries:
        cells = []
        for name in names:
            seconds = results[name][0].get(query.stem)
            ratio = f" {seconds / base[query.stem]:5.2f}x" if seconds and base.get(query.stem) else ""
            cells.append(f"{'failed' if seconds is None else f'{seconds:.2f}'}{ratio}")
        print(f"{query.stem:<7}" + "".join(f"{c:>18}" for c in cells))
    cells, memory = [], []
    for name in names:
        times, peak = results[name]
        done = [q.stem for q in queries if times.get(q.stem)]
        seconds = sum(times[q] for q in done)
        compared = sum(base[q] for q in done if base.get(q))
        mark = "" if len(done) == len(queries) else "*"
        cells.append(f"{seconds:.2f}{mark}" + (f" {seconds / compared:5.2f}x" if compared else ""))
        memory.append(f"{peak:.0f} MB")
    print("total  " + "".join(f"{c:>18}" for c in cells) + "\nmemory " + "".join(f"{m:>18}" for m in memory))
    if any("*" in c for c in cells):
        print("* some queries failed; the total is of the others")


if __name__ == "__main__":
    main()
