"""Writing to and reading from the tests' PostgreSQL."""
import re


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
