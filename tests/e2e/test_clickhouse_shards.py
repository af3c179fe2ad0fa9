"""Distributed tables of ClickHouse, written by their local tables on two servers. Where a row belongs is what the engine does with
the same rows itself: it keeps what it will send to each shard in files, which are read here."""
import datetime
import pathlib

import pytest
import services
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

CLUSTER = """<remote_servers><two>
<shard><weight>1</weight><replica><host>127.0.0.1</host><port>9</port></replica></shard>
<shard><weight>3</weight><replica><host>127.0.0.2</host><port>9</port></replica></shard>
</two><gone>
<shard><replica><host>127.0.0.1</host><port>9</port></replica></shard>
<shard><replica><host>127.0.0.3</host><port>9</port></replica></shard>
</gone><copies>
<shard><replica><host>127.0.0.1</host><port>9</port></replica><replica><host>127.0.0.2</host><port>9</port></replica></shard>
<shard><replica><host>127.0.0.3</host><port>9</port></replica></shard>
</copies><same>
<shard><replica><host>127.0.0.2</host><port>9</port></replica></shard>
<shard><replica><host>127.0.0.2</host><port>9</port></replica></shard>
</same><spare>
<shard><internal_replication>true</internal_replication>
<replica><host>127.0.0.3</host><port>9</port></replica><replica><host>127.0.0.2</host><port>9</port></replica></shard>
</spare></remote_servers>"""
COLUMNS = "id Int32, name LowCardinality(String), day Date32, note Nullable(String)"
ENGINE = "MergeTree PARTITION BY toYear(day) ORDER BY id"


@pytest.fixture(scope="module")
def servers(folder):
    try:
        first = services.ClickHouse(folder, config=CLUSTER)
        try:
            second = services.ClickHouse(folder, "127.0.0.2", first.port)
        except BaseException:
            first.stop()
            raise
    except services.Unavailable as reason:
        pytest.skip(str(reason))
    yield first, second
    second.stop()
    first.stop()


@pytest.fixture
def shards(servers):
    for server in servers:
        server.faults()
        server.execute("DROP TABLE IF EXISTS local SYNC")
        server.execute(f"CREATE TABLE local ({COLUMNS}) ENGINE = {ENGINE}")
    yield servers
    for server in servers:
        server.faults()
        left = server.rows("SELECT name FROM system.tables WHERE name LIKE '\\\\_firesteel%'")
        assert left == [], "staging tables were left behind"


def distribute(shards, key, cluster="two", columns=COLUMNS):
    key = f", {key}" if key else ""
    shards[0].execute("DROP TABLE IF EXISTS whole SYNC")
    shards[0].execute(f"CREATE TABLE whole ({columns}) ENGINE = Distributed({cluster}, default, local{key})")


def write(frame, shards, mode="append", **options):
    options = {key.replace("__", "."): value for key, value in options.items()}
    frame.write.format("clickhouse").mode(mode).options(**shards[0].options, table="whole", **options).save()


def rows(spark, first=-500, last=1500):
    return spark.range(first, last).repartition(3).select(
        F.col("id").cast("int"), F.format_string("n%d", F.abs(F.col("id")) % 100).alias("name"),
        F.date_add(F.lit(datetime.date(2023, 1, 1)), (F.abs(F.col("id")) % 900).cast("int")).alias("day"),
        F.when(F.col("id") % 3 == 0, F.col("id").cast("string")).alias("note"))


def found(shards):
    return [server.rows("SELECT * FROM local ORDER BY ALL") for server in shards]


def counts(shards):
    return [server.rows("SELECT count() FROM local")[0][0] for server in shards]


def of_the_engine(shards, frame):
    """What the engine would send to each shard of the same rows."""
    first = shards[0]
    first.execute("SYSTEM STOP DISTRIBUTED SENDS whole")
    frame.write.format("clickhouse").mode("overwrite").options(**first.options, table="source", order_by="id").save()
    insert = "INSERT INTO whole SELECT * FROM source SETTINGS distributed_foreground_insert = 0, prefer_localhost_replica = 0"
    first.execute(insert)
    (path,) = first.rows("SELECT data_paths[1] FROM system.tables WHERE name = 'whole'")[0]
    answers = []
    for shard in (1, 2):
        files = sorted(pathlib.Path(path).glob(f"shard{shard}_*/*.bin"))
        answers.append(sorted(row for file in files for row in first.rows(f"SELECT * FROM file('{file}', 'Distributed')")))
    first.execute("DROP TABLE source SYNC")
    return answers


@pytest.mark.parametrize("key", ["id", "cityHash64(name)", "intHash32(id) + 7", "toYYYYMM(day)", "cityHash64(id, name, ifNull(note, 'x)'))", "-id"])
def test_rows_go_where_the_engine_would_put_them(spark, shards, key):
    distribute(shards, key)
    frame = rows(spark)
    write(frame, shards, write__batchSize="200")
    ours, theirs = found(shards), of_the_engine(shards, frame)
    assert [sorted(shard, key=str) for shard in ours] == [sorted(shard, key=str) for shard in theirs]
    assert sum(map(len, ours)) == 2000 and all(ours)


def test_any_shard_will_do_for_a_random_key_by_the_weights(spark, shards):
    distribute(shards, "rand()")
    write(rows(spark), shards)
    assert sum(counts(shards)) == 2000 and 450 <= counts(shards)[0] <= 550


def test_overwrites_replace_every_shard(spark, shards):
    distribute(shards, "id")
    write(rows(spark), shards)
    write(rows(spark, 0, 40), shards, "overwrite")
    assert counts(shards) == [10, 30]
    # 2024 has the rows from 365 on; those of 2023 stay.
    write(rows(spark, 400, 410), shards, "overwrite", partitionOverwriteMode="dynamic")
    assert counts(shards) == [10 + 3, 30 + 7]
    write(rows(spark, 365, 366), shards, "overwrite", truncate="true")
    assert counts(shards) == [0, 1]
    with pytest.raises(PySparkException, match="already exists"):
        write(rows(spark), shards, "error")
    write(rows(spark), shards, "ignore")
    assert counts(shards) == [0, 1]


def test_a_write_straight_into_the_local_tables(spark, shards):
    distribute(shards, "id")
    write(rows(spark, 0, 400), shards, write__atomic="false", write__distributed__convertLocal="true")
    assert counts(shards) == [100, 300]


@pytest.mark.parametrize("match", ["INSERT INTO", "MOVE PARTITION", "CREATE TABLE", "SELECT count()"])
def test_a_shard_that_fails_before_the_end_leaves_every_shard_as_it_was(spark, shards, match):
    distribute(shards, "id")
    write(rows(spark, 0, 40), shards)
    shards[1].faults({"match": match, "action": "refuse", "code": 497})
    with pytest.raises(PySparkException, match="made to fail"):
        write(rows(spark), shards)
    assert counts(shards) == [10, 30]


def test_what_is_visible_is_told_when_the_last_step_fails_on_one_shard(spark, shards):
    distribute(shards, "id")
    shards[1].faults({"match": "ATTACH PARTITION", "action": "refuse", "code": 497})
    with pytest.raises(PySparkException, match="visible on some shards .*127.0.0.1.*not on others .*127.0.0.2.*made to fail") as told:
        write(rows(spark, 0, 40), shards)
    # The class of what a server refuses, not one of ours.
    assert told.value.getSqlState() == "HV000"
    assert counts(shards) == [10, 0]


@pytest.mark.parametrize("match,action", [
    ("INSERT INTO", "lose_after"), ("ATTACH PARTITION", "lose_after"), ("MOVE PARTITION", "lose_after"),
])
def test_an_answer_that_is_lost_changes_nothing(spark, shards, match, action):
    distribute(shards, "cityHash64(name)")
    for server in shards:
        server.faults({"match": match, "action": action}, {"match": "firesteel_rows", "action": action})
    write(rows(spark), shards, write__retryInterval="10ms")
    assert sum(counts(shards)) == 2000
    ids = [row[0] for shard in found(shards) for row in shard]
    assert sorted(ids) == list(range(-500, 1500))


@pytest.mark.parametrize("key,cluster,text", [
    (None, "two", "no sharding key"), ("id", "gone", "127.0.0.3"), ("id", "copies", "internal_replication"),
    ("id", "same", "two shards are one table"),
])
def test_what_cannot_be_done_right_is_refused(spark, shards, key, cluster, text):
    distribute(shards, key, cluster)
    with pytest.raises(PySparkException, match=text):
        write(rows(spark), shards)
    assert counts(shards) == [0, 0]


def test_a_replica_that_is_down_is_passed_by(spark, shards):
    distribute(shards, None, "spare")
    write(rows(spark, 0, 40), shards)
    assert counts(shards) == [0, 40]


def test_tables_that_do_not_fit_are_named(spark, shards):
    distribute(shards, "id")
    with pytest.raises(PySparkException, match="without column id"):
        write(rows(spark).drop("id"), shards)
    with pytest.raises(PySparkException, match="convertLocal"):
        write(rows(spark), shards, write__distributed__convertLocal="false")
    shards[1].execute("DROP TABLE local SYNC")
    with pytest.raises(PySparkException, match="local on 127.0.0.2"):
        write(rows(spark), shards)
    shards[1].execute(f"CREATE TABLE local ({COLUMNS.replace('Int32', 'Int64')}) ENGINE = {ENGINE}")
    with pytest.raises(PySparkException, match="id of .*local.* on 127.0.0.2"):
        write(rows(spark), shards)
    assert counts(shards) == [0, 0]


def test_a_value_that_does_not_fit_leaves_nothing(spark, shards):
    distribute(shards, "id")
    bad = rows(spark).withColumn("id", F.when(F.col("id") == 700, F.lit(2**40)).otherwise(F.col("id")).cast("bigint"))
    with pytest.raises(PySparkException, match="1099511627776"):
        write(bad, shards)
    assert counts(shards) == [0, 0]
