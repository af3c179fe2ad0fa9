#!/usr/bin/env python3
"""Records real Spark's answers to the property suite: `record.py [ANSWERS]`, with the full `pyspark` 4.3 and a Java 17 at hand.

One JSON line a table of values and mode: the table's rows and, for each expression, its type and its values as text, or the condition of the
error it ends with. ANSI mode is asked with one row, for there one bad row fails a query, and not for what no mode can type.
"""
import gzip
import json
import logging
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
from ask import Asker, table  # noqa: E402
from cases import groups  # noqa: E402
from values import seeded  # noqa: E402

def main():
    os.environ["TZ"] = "UTC"
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC")
             .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC").config("spark.sql.shuffle.partitions", "1").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    logging.disable(logging.ERROR)
    asker = Asker(spark)
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "answers.jsonl.gz")
    count = 0
    with gzip.GzipFile(target, "wb", mtime=0) as out:
        for name, kinds, rows, expressions in groups():
            untyped = set()
            for ansi, some in ((False, rows), (True, [seeded(f"ansi {name}").choice(rows)])):
                asker.ansi(ansi)
                answers = asker.ask(table(some), [e for e in expressions if e not in untyped])
                untyped = {answer[0] for answer in answers if len(answer) == 2}
                count += len(answers)
                line = {"group": name, "ansi": ansi, "rows": some, "answers": answers}
                out.write((json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n").encode())
            print(name, count, file=sys.stderr, flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
