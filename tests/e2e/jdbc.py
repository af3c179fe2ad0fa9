"""Writing to and reading from the tests' PostgreSQL."""
import re
import time


def write(frame, postgres, table, mode="append", format="jdbc", **options):
    writer = frame.write.format(format).mode(mode)
    for key, value in {**postgres.options, "dbtable": table, **options}.items():
        writer = writer.option(key, value)
    writer.save()


def read(spark, postgres, table=None, **options):
    reader = spark.read.format("jdbc")
    for key, value in {**postgres.options, **({"dbtable": table} if table else {}), **options}.items():
        reader = reader.option(key, value)
    return reader.load()


def leftovers(postgres):
    """Staging tables, and jobs the ledger holds for open."""
    tables = [r[0] for r in postgres.rows(r"SELECT relname FROM pg_class WHERE relname LIKE '\_firesteel\_%' "
                                          "AND relkind = 'r' AND relname <> '_firesteel_commits'")]
    if postgres.rows("SELECT to_regclass('_firesteel_commits')") == [(None,)]:
        return tables
    return tables + [r[0] for r in postgres.rows("SELECT job_id FROM _firesteel_commits WHERE part = -1")]


def name_of(request):
    name = "t_" + re.sub(r"\W", "_", request.node.name)[:50].lower()
    return name


def copies(postgres, run):
    """What the server was asked to copy out or in while `run` ran."""
    postgres.rows("ALTER SYSTEM SET log_statement = 'all'; ")
    postgres.rows("SELECT pg_reload_conf()")
    time.sleep(0.3)
    before = postgres.process.log.stat().st_size
    run()
    postgres.rows("ALTER SYSTEM RESET log_statement")
    postgres.rows("SELECT pg_reload_conf()")
    with open(postgres.process.log, "rb") as log:
        log.seek(before)
        return [line for line in log.read().decode().splitlines() if "COPY (" in line]
