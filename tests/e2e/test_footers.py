"""Footers are those of the very file: stores tell times in whole seconds, and files of two buckets may have the same path and size."""
import io
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import services

ROWS = 1000


@pytest.fixture
def client(s3):
    client = s3.client()
    if "other" not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket="other")
    return client


def body(first):
    """Parquet that is as large whatever its numbers are."""
    out = io.BytesIO()
    pq.write_table(pa.table({"id": pa.array(range(first, first + ROWS), pa.int64())}), out, compression="none")
    return out.getvalue()


def told(client, bucket, key):
    head = client.head_object(Bucket=bucket, Key=key)
    return head["LastModified"], head["ContentLength"]


def counts(spark, url):
    files = spark.read.parquet(url)
    return [files.where(f"id >= {first} AND id < {first + ROWS}").count() for first in (0, 5000)]


def in_one_second(work):
    """Until the store tells the same time twice, which it nearly always does at once."""
    for _ in range(5):
        while time.time() % 1 > 0.2:
            time.sleep(0.01)
        first, second = work()
        if first == second:
            return
    pytest.skip("the machine is too slow to write twice in a second")


def test_files_of_two_buckets_keep_their_own(spark, server, client):
    key = f"footers-{server.kind}/t.parquet"

    def write():
        for bucket, first in ((services.BUCKET, 0), ("other", 5000)):
            client.put_object(Bucket=bucket, Key=key, Body=body(first))
        return told(client, services.BUCKET, key), told(client, "other", key)

    in_one_second(write)
    urls = [f"s3://{bucket}/{key}" for bucket in (services.BUCKET, "other")]
    assert [counts(spark, url) for url in urls] == [[ROWS, 0], [0, ROWS]]
    both = spark.read.parquet(urls[0]).union(spark.read.parquet(urls[1]))
    assert both.where("id >= 5000").count() == ROWS and both.where("id < 5000").count() == ROWS


def test_a_file_that_is_written_anew_is_read_anew(spark, server, client):
    key = f"footers-{server.kind}/anew.parquet"
    url, found = f"s3://other/{key}", []

    def write():
        seen = []
        for first in (0, 5000):
            client.put_object(Bucket="other", Key=key, Body=body(first))
            seen.append(told(client, "other", key))
            found.append(counts(spark, url))
        return seen

    in_one_second(write)
    assert found[-2:] == [[ROWS, 0], [0, ROWS]]
