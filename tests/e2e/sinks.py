"""Targets of writes behind one face: a table of `id` and `v` in PostgreSQL, in ClickHouse, and as Parquet files in S3.

What is there is looked at with each store's own tools, never through Firesteel.
"""
import contextlib

import jdbc
import services

TARGETS = ["postgres", "clickhouse", "s3"]


def of(request, name):
    """The target of a name, with its service from the fixtures."""
    return {"postgres": Postgres, "clickhouse": ClickHouse, "s3": S3}[name](request)


class Postgres:
    def __init__(self, request):
        self.service = request.getfixturevalue("postgres")

    def make(self, table):
        self.service.rows(f"CREATE TABLE {table} (id BIGINT, v TEXT)")

    def write(self, frame, table, mode="append"):
        jdbc.write(frame, self.service, table, mode)

    def write_after_a_death(self, frame, table):
        self.write(frame, table)

    def count(self, table):
        return self.service.rows(f"SELECT count(*), count(DISTINCT id) FROM {table}")[0]

    def left(self):
        return jdbc.leftovers(self.service)

    def begun(self):
        return self.service.rows("SELECT count(*) > 0 FROM pg_stat_progress_copy")[0][0]

    @contextlib.contextmanager
    def uncommitted(self, table, session):
        """Keeps a write from its end. Gives what tells that it waits there."""
        with self.service.connect() as lock:
            lock.execute("BEGIN")
            lock.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
            yield lambda: self.service.rows("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted")[0][0]
            lock.execute("ROLLBACK")

    def drop(self, table):
        self.service.rows(f"DROP TABLE IF EXISTS {table}")


class ClickHouse:
    def __init__(self, request):
        self.service = request.getfixturevalue("clickhouse")

    def make(self, table):
        self.service.execute(f"CREATE TABLE {table} (id Int64, v String) ENGINE = MergeTree ORDER BY id")

    def write(self, frame, table, mode="append", **options):
        frame.write.format("clickhouse").mode(mode).options(**self.service.options, table=table, **options).save()

    def write_after_a_death(self, frame, table):
        """ClickHouse has no locks that would tell whether the dead are dead, so an age does."""
        self.write(frame, table, **{"write.stagingMaxAge": "0"})

    def count(self, table):
        return tuple(int(n) for n in self.service.rows(f"SELECT count(), uniqExact(id) FROM {table}")[0])

    def left(self):
        return self.service.rows("SELECT name FROM system.tables WHERE name LIKE '\\\\_firesteel%'")

    def begun(self):
        return self.left() != []

    @contextlib.contextmanager
    def uncommitted(self, table, session):
        self.service.faults({"match": "ATTACH PARTITION", "action": "sleep", "seconds": 5})
        yield self.service.faulted
        self.service.faults()

    def drop(self, table):
        """With what a test that failed has left, which is not the next one's."""
        for name in [table, *(name for (name,) in self.left())]:
            self.service.execute(f"DROP TABLE IF EXISTS {name} SYNC")


class S3:
    """What is not committed there is an upload that was never completed, which no reader sees."""

    def __init__(self, request):
        self.service = request.getfixturevalue("s3")
        self.request = request

    def make(self, table):
        pass

    def write(self, frame, table, mode="append"):
        frame.write.mode(mode).parquet(f"s3://{services.BUCKET}/sinks/{table}")

    def write_after_a_death(self, frame, table):
        self.write(frame, table)

    def read(self, table, columns=None):
        import pyarrow.fs as fs
        import pyarrow.parquet as pq

        store = fs.S3FileSystem(access_key=services.S3_KEY, secret_key=services.S3_SECRET, region="us-east-1",
                                endpoint_override=self.service.endpoint)
        return pq.read_table(f"{services.BUCKET}/sinks/{table}", filesystem=store, columns=columns)

    def count(self, table):
        import pyarrow.compute as pc

        if not any(key.endswith(".parquet") for key in self.service.keys(f"sinks/{table}/")):
            return 0, 0
        ids = self.read(table, ["id"])["id"]
        return len(ids), pc.count_distinct(ids).as_py()

    def left(self):
        return [key for key in self.service.keys("sinks/") if "/_temporary" in key]

    def uploads(self, table=""):
        """Uploads that have begun and not ended."""
        found = self.service.client().list_multipart_uploads(Bucket=services.BUCKET, Prefix=f"sinks/{table}")
        return [upload["Key"] for upload in found.get("Uploads", [])]

    def begun(self):
        return self.uploads() != []

    @contextlib.contextmanager
    def uncommitted(self, table, session):
        proxy = self.request.getfixturevalue("s3_proxy")
        session.conf.set("spark.hadoop.fs.s3a.endpoint", proxy.endpoint)
        proxy.faults({"match": r"^POST .*uploadId=", "action": "hold", "times": 1000})
        yield lambda: proxy.held > 0
        proxy.faults()

    def drop(self, table):
        client = self.service.client()
        for key in self.service.keys(f"sinks/{table}"):
            client.delete_object(Bucket=services.BUCKET, Key=key)
