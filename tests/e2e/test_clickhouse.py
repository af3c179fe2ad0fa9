"""ClickHouse both ways. What was written is read back through the ClickHouse engine itself, never through us."""
import datetime
import decimal
import threading
import time

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

UTC = datetime.timezone.utc


@pytest.fixture
def table(clickhouse, request):
    name = "t_" + "".join(c if c.isalnum() else "_" for c in request.node.name)[:60].lower()
    clickhouse.execute(f"DROP TABLE IF EXISTS `{name}`")
    clickhouse.faults()
    yield name
    clickhouse.faults()
    left = clickhouse.rows("SELECT name FROM system.tables WHERE name LIKE '\\\\_firesteel%'")
    assert left == [], "staging tables were left behind"


def write(frame, clickhouse, table, mode="append", **options):
    writer = frame.write.format("clickhouse").mode(mode)
    options = {key.replace("__", "."): value for key, value in options.items()}
    for key, value in {**clickhouse.options, "table": table, **options}.items():
        writer = writer.option(key, value)
    writer.save()


def read(spark, clickhouse, table=None, **options):
    reader = spark.read.format("clickhouse")
    options = {key.replace("__", "."): value for key, value in options.items()}
    for key, value in {**clickhouse.options, **({"table": table} if table else {}), **options}.items():
        reader = reader.option(key, value)
    return reader.load()


def test_append_creates_and_adds(spark, clickhouse, table):
    frame = spark.range(1000).repartition(4).withColumn("name", F.concat(F.lit("n"), "id"))
    write(frame, clickhouse, table, order_by="id", settings__index_granularity="1024")
    write(frame, clickhouse, table)
    got = clickhouse.rows(f"SELECT count(), sum(id), uniqExact(name) FROM {table}")
    assert got == [[2000, 999000, 1000]]
    (made,) = clickhouse.rows(f"SELECT engine_full FROM system.tables WHERE name = '{table}'")
    assert "ORDER BY (id)" in made[0] and "index_granularity = 1024" in made[0]


def test_types_arrive_as_they_are(spark, clickhouse, table):
    row = (True, -128, -32768, 2**31 - 1, -2**63, 1.5, float("-inf"), decimal.Decimal("-12345678.10"),
           decimal.Decimal("9" * 38), "ä\n\\N\t'", bytearray(b"\x00\xff"), datetime.date(1900, 1, 1),
           datetime.datetime(1960, 2, 29, 12, 0, 0, 5, UTC), datetime.datetime(2299, 12, 31, 23, 59, 59, 999999),
           ["a", None], {"k": None, "l": 2}, (1, None))
    ddl = ("b BOOLEAN, t TINYINT, h SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, n DECIMAL(10,2), w DECIMAL(38,0), "
           "s STRING, x BINARY, dt DATE, ts TIMESTAMP, tn TIMESTAMP_NTZ, a ARRAY<STRING>, m MAP<STRING,INT>, "
           "st STRUCT<p:INT,q:STRING>")
    write(spark.createDataFrame([row], ddl), clickhouse, table)
    got = clickhouse.rows(
        f"SELECT b, t, h, i, toString(l), f, toString(d), toString(n), toString(w), s, hex(x), toString(dt), "
        f"toString(ts, 'UTC'), toString(tn), a, m, st.p, st.q FROM {table}")
    assert got == [[True, -128, -32768, 2**31 - 1, str(-2**63), 1.5, "-inf", "-12345678.1", "9" * 38, row[9], "00FF",
                    "1900-01-01", "1960-02-29 12:00:00.000005", "2299-12-31 23:59:59.999999", ["a", None],
                    {"k": None, "l": 2}, 1, None]]
    types = dict(map(tuple, clickhouse.rows(f"SELECT name, type FROM system.columns WHERE table = '{table}'")))
    assert types["ts"] == "Nullable(DateTime64(6))" and types["dt"] == "Nullable(Date32)"
    assert types["a"] == "Array(Nullable(String))" and types["m"] == "Map(String, Nullable(Int32))"
    back = read(spark, clickhouse, table).drop("x").collect()
    assert back[0].n == row[7] and back[0].w == row[8] and back[0].tn == row[13]
    assert back[0].ts == row[12].replace(tzinfo=None) and back[0].m == row[15] and tuple(back[0].st) == row[16]


def test_nulls_of_every_type_arrive_as_nulls(spark, clickhouse, table):
    types = ["BOOLEAN", "TINYINT", "BIGINT", "DOUBLE", "DECIMAL(10,2)", "STRING", "BINARY", "DATE", "TIMESTAMP",
             "TIMESTAMP_NTZ"]
    columns = ", ".join(f"CAST(NULL AS {t}) AS c{i}" for i, t in enumerate(types))
    write(spark.sql(f"SELECT {columns}"), clickhouse, table)
    assert clickhouse.rows(f"SELECT * FROM {table}") == [[None] * len(types)]
    assert tuple(read(spark, clickhouse, table).collect()[0]) == (None,) * len(types)


def test_columns_of_the_target_decide(spark, clickhouse, table):
    clickhouse.execute(
        f"CREATE TABLE {table} (id UInt64, amount Decimal(8, 2), u UUID, e Enum8('a' = 1, 'b' = 2), ip IPv4, ip6 IPv6, "
        "lc LowCardinality(Nullable(String)), fs FixedString(3), d Date, dt DateTime('Europe/Berlin'), ms DateTime64(3), "
        "big Int256, j JSON, extra Int32 DEFAULT 7, twice UInt64 MATERIALIZED id * 2) ENGINE = MergeTree ORDER BY id")
    write(spark.sql(
        "SELECT 1L AS ID, 1.5D AS amount, '00000000-0000-0000-0000-000000000001' AS u, 'b' AS e, '1.2.3.4' AS ip, '::1' "
        "AS ip6, 'x' AS lc, 'ab' AS fs, DATE'2149-06-06' AS d, TIMESTAMP'2024-07-01 12:00:00Z' AS dt, "
        "TIMESTAMP'2024-07-01 12:00:00.123999Z' AS ms, -5BD AS big, '{\"a\": 1}' AS j"), clickhouse, table)
    got = clickhouse.rows(f"SELECT id, toString(amount), u, e, ip, ip6, lc, hex(fs), d, toString(dt), toString(ms, 'UTC'), "
                          f"toString(big), j.a, extra, twice FROM {table}")
    assert got == [[1, "1.5", "00000000-0000-0000-0000-000000000001", "b", "1.2.3.4", "::1", "x", "616200", "2149-06-06",
                    "2024-07-01 14:00:00", "2024-07-01 12:00:00.123", "-5", 1, 7, 2]]


@pytest.mark.parametrize("sql_type,value,said", [
    ("Int32", "1099511627776L", "1099511627776"), ("Decimal(10, 2)", "12345678901.23BD", "12345678901.23"),
    ("Decimal(10, 2)", "1.234BD", "1.234"), ("DateTime", "TIMESTAMP'1960-01-01 00:00:00Z'", "1960-01-01"),
    ("Date", "DATE'1969-12-31'", "1969-12-31"), ("Int64", "CAST(NULL AS BIGINT)", "NULL"),
    ("Array(Int8)", "array(1L, 1000L)", "1000"), ("UUID", "'nonsense'", "nonsense"), ("Enum8('a' = 1)", "'z'", "z"),
    ("FixedString(2)", "'abc'", "abc"), ("UInt8", "-1", "-1"), ("Array(Int64)", "CAST(NULL AS ARRAY<BIGINT>)", "NULL"),
    ("Map(String, Int64)", "map('k', CAST(NULL AS BIGINT))", "NULL"),
])
def test_a_value_the_target_cannot_hold_names_its_column_and_nothing_stays(spark, clickhouse, table, sql_type, value, said):
    clickhouse.execute(f"CREATE TABLE {table} (id Int64, col {sql_type}) ENGINE = MergeTree ORDER BY id")
    with pytest.raises(PySparkException) as error:
        write(spark.sql(f"SELECT 7L AS id, {value} AS col"), clickhouse, table)
    assert "col" in str(error.value) and said in str(error.value), str(error.value)
    assert clickhouse.rows(f"SELECT count() FROM {table}") == [[0]]


def test_an_overwrite_keeps_the_table_or_what_it_is(spark, clickhouse, table):
    write(spark.range(5), clickhouse, table, order_by="id")
    write(spark.range(2), clickhouse, table, "overwrite")
    assert clickhouse.rows(f"SELECT count() FROM {table}") == [[2]]
    write(spark.range(3), clickhouse, table, "overwrite", truncate="true")
    assert clickhouse.rows(f"SELECT count() FROM {table}") == [[3]]
    (engine,) = clickhouse.rows(f"SELECT engine_full FROM system.tables WHERE name = '{table}'")
    assert engine[0].startswith("MergeTree ORDER BY (id)")
    write(spark.range(0), clickhouse, table, "overwrite")
    assert clickhouse.rows(f"SELECT count() FROM {table}") == [[0]]


def test_only_partitions_written_to_are_replaced(spark, clickhouse, table):
    frame = spark.range(100).withColumn("p", F.col("id") % 4)
    write(frame, clickhouse, table, order_by="id", partition_by="p")
    write(frame.where("p = 1").limit(3), clickhouse, table, "overwrite", partitionOverwriteMode="dynamic")
    assert clickhouse.rows(f"SELECT p, count() FROM {table} GROUP BY p ORDER BY p") == [[0, 25], [1, 3], [2, 25], [3, 25]]


def test_many_partitions_arrive_and_a_replacing_table_keeps_its_engine(spark, clickhouse, table):
    clickhouse.execute(f"CREATE TABLE {table} (id Int64, p Int64) ENGINE = ReplacingMergeTree PARTITION BY p ORDER BY id")
    frame = spark.range(2000).repartition(3).withColumn("p", F.col("id") % 150)
    write(frame, clickhouse, table, write__batchSize="700")
    write(frame, clickhouse, table)
    assert clickhouse.rows(f"SELECT count(), uniqExact(p) FROM {table} FINAL") == [[2000, 150]]


def test_a_write_straight_into_the_table(spark, clickhouse, table):
    clickhouse.execute(f"CREATE TABLE {table} (id Int64) ENGINE = Memory")
    with pytest.raises(PySparkException, match="write.atomic=false"):
        write(spark.range(10), clickhouse, table)
    write(spark.range(10), clickhouse, table, write__atomic="false")
    write(spark.range(4), clickhouse, table, "overwrite", write__atomic="false")
    assert clickhouse.rows(f"SELECT count() FROM {table}") == [[4]]


def test_materialized_views_are_never_passed_by(spark, clickhouse, table):
    clickhouse.execute(f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
    clickhouse.execute(f"CREATE MATERIALIZED VIEW {table}_mv ENGINE = MergeTree ORDER BY id AS SELECT id FROM {table}")
    with pytest.raises(PySparkException, match="materialized views"):
        write(spark.range(10), clickhouse, table)
    write(spark.range(10), clickhouse, table, write__atomic="false")
    assert clickhouse.rows(f"SELECT count() FROM {table}_mv") == [[10]]
    clickhouse.execute(f"DROP VIEW {table}_mv")


def test_insert_into_a_table_of_the_catalog(spark, server, clickhouse, table):
    clickhouse.execute(f"CREATE TABLE {table} (id Int64, name String) ENGINE = MergeTree ORDER BY id")
    name = f"{table}_{server.kind}"
    spark.sql(f"DROP TABLE IF EXISTS {name}")
    spark.sql(f"CREATE TABLE {name} USING clickhouse OPTIONS (host '127.0.0.1', http_port '{clickhouse.port}', "
              f"table '{table}', user 'spark', password 'secret')")
    spark.sql(f"INSERT INTO {name} SELECT id, concat('n', id) FROM range(100)")
    assert clickhouse.rows(f"SELECT count(), max(name) FROM {table}") == [[100, "n99"]]
    assert spark.sql(f"SELECT count(*), sum(id) FROM {name} WHERE id >= 90").collect() == [(10, 945)]
    spark.sql(f"INSERT OVERWRITE {name} SELECT id, 'x' FROM range(3)")
    assert clickhouse.rows(f"SELECT count(), max(name) FROM {table}") == [[3, "x"]]
    shown = "\n".join(str(r) for r in spark.sql(f"DESCRIBE EXTENDED {name}").collect())
    assert "secret" not in shown
    spark.sql(f"DROP TABLE {name}")


def test_jdbc_urls_and_session_settings(spark, clickhouse, table):
    options = {"url": clickhouse.url, "user": "spark", "password": "secret", "dbtable": table}
    frame = spark.range(50).select("id", F.lit("x").alias("s"))
    frame.write.format("jdbc").options(**options, createTableOptions="ENGINE = MergeTree() ORDER BY id").save()
    assert clickhouse.rows(f"SELECT count() FROM {table}") == [[50]]
    spark.conf.set("spark.clickhouse.read.splitByPartitionId", "false")
    got = spark.read.format("jdbc").options(**{**options, "dbtable": f"(SELECT id + 1 AS n FROM {table}) q"}).load()
    assert got.agg(F.sum("n")).collect() == [(1275,)]
    split = spark.read.format("jdbc").options(**options, partitionColumn="id", lowerBound="0", upperBound="50",
                                              numPartitions="4").load()
    assert split.agg(F.sum("id"), F.count("*")).collect() == [(1225, 50)]
    some = spark.read.jdbc(clickhouse.url, table, predicates=["id < 10", "id >= 40"],
                           properties={"user": "spark", "password": "secret"})
    assert some.count() == 20


def test_read_types(spark, clickhouse, table):
    clickhouse.execute(
        f"CREATE TABLE {table} (u8 UInt8, u16 UInt16, u32 UInt32, u64 UInt64, i128 Int128, u256 UInt256, "
        "d Decimal(9, 3), d32 Date32, dt DateTime('America/New_York'), ns DateTime64(9, 'UTC'), id UUID, ip IPv4, "
        "e Enum16('x' = 300), fs FixedString(2), lc LowCardinality(String), lcn LowCardinality(Nullable(String)), "
        "a Array(UInt64), m Map(LowCardinality(String), UInt8), t Tuple(p UInt8, q Nullable(Date)), "
        "tt Tuple(Int8, String), n Nullable(Float32), b Bool) ENGINE = MergeTree ORDER BY u8")
    clickhouse.execute(
        f"INSERT INTO {table} VALUES (255, 65535, 4294967295, 18446744073709551615, -5, 7, 1.234, '1900-01-01', "
        "'2024-07-01 08:00:00', '2024-07-01 12:00:00.123456789', '00000000-0000-0000-0000-000000000009', '1.2.3.4', "
        "'x', 'a', 'l', NULL, [18446744073709551615], {'k': 200}, (1, NULL), (2, 'z'), NULL, true)")
    frame = read(spark, clickhouse, table)
    assert dict(frame.dtypes) == {
        "u8": "smallint", "u16": "int", "u32": "bigint", "u64": "decimal(20,0)", "i128": "decimal(38,0)",
        "u256": "decimal(38,0)", "d": "decimal(9,3)", "d32": "date", "dt": "timestamp", "ns": "timestamp", "id": "string",
        "ip": "string", "e": "string", "fs": "binary", "lc": "string", "lcn": "string", "a": "array<decimal(20,0)>",
        "m": "map<string,smallint>", "t": "struct<p:smallint,q:date>", "tt": "struct<_1:tinyint,_2:string>",
        "n": "float", "b": "boolean"}
    big, day = decimal.Decimal(18446744073709551615), datetime.datetime
    assert tuple(frame.collect()[0]) == (
        255, 65535, 4294967295, big, decimal.Decimal(-5), decimal.Decimal(7), decimal.Decimal("1.234"),
        datetime.date(1900, 1, 1), day(2024, 7, 1, 12), day(2024, 7, 1, 12, 0, 0, 123456),
        "00000000-0000-0000-0000-000000000009", "1.2.3.4", "x", bytearray(b"a\0"), "l", None, [big], {"k": 200},
        (1, None), (2, "z"), None, True)
    assert frame.schema["u8"].nullable is False and frame.schema["n"].nullable is True
    clickhouse.execute(f"INSERT INTO {table} (u8, i128) VALUES (1, 170141183460469231731687303715884105727)")
    with pytest.raises(PySparkException, match="i128"):
        frame.collect()


def test_filters_and_columns_are_sent_to_the_server(spark, clickhouse, table):
    clickhouse.execute(f"CREATE TABLE {table} (id Int64, s String, f Float64, d Date, t DateTime64(3, 'UTC'), x String) "
                       "ENGINE = MergeTree PARTITION BY id % 3 ORDER BY id")
    clickhouse.execute(f"INSERT INTO {table} SELECT number, concat('n', toString(number)), if(number = 5, nan, number), "
                       "toDate(number), toDateTime64(number, 3, 'UTC'), 'x' FROM numbers(100)")
    frame = read(spark, clickhouse, table)
    clickhouse.log()
    got = frame.where("id > 90 AND s <> 'n95' AND d < DATE'1970-04-09' AND t >= TIMESTAMP'1970-01-01 00:01:32Z'")
    assert sorted(r.id for r in got.select("id").collect()) == [92, 93, 94, 96, 97]
    scans = [sql for sql in clickhouse.log() if f"`{table}`" in sql and "ArrowStream" in sql]
    assert len(scans) >= 1 and all("`id` > 90" in sql and "`x`" not in sql for sql in scans), scans
    assert len({sql.split("_partition_id")[1][:30] for sql in scans}) == len(scans)
    assert frame.where("f > 50").count() == 50  # 49 numbers, and NaN, which is above all of them in Spark
    assert frame.where("id IN (1, 2, 200) OR s = 'n7'").count() == 3
    assert frame.count() == 100 and len(frame.limit(7).collect()) == 7
    assert read(spark, clickhouse, query=f"SELECT max(id) AS m FROM {table}").collect() == [(99,)]


@pytest.mark.parametrize("options,text", [
    ({"password": "wrong"}, "authentication"), ({"http_port": "1"}, "127.0.0.1:1"), ({"database": "nope"}, "nope"),
    ({"host": "no.such.host.invalid"}, "no.such.host.invalid"), ({"engine": "NoSuchEngine"}, "NoSuchEngine"),
    ({"write.bathSize": "5"}, "write.bathsize"), ({"order_by": "nope"}, "nope"),
])
def test_clear_errors(spark, clickhouse, table, options, text):
    with pytest.raises(PySparkException) as error:
        write(spark.range(3), clickhouse, table, **{key.replace(".", "__"): value for key, value in options.items()})
    assert text.lower() in str(error.value).lower()
    assert clickhouse.rows(f"SELECT count() FROM system.tables WHERE name = '{table}'") == [[0]]


def test_missing_tables_and_columns_are_named(spark, clickhouse, table):
    with pytest.raises(PySparkException, match=table):
        read(spark, clickhouse, table).collect()
    clickhouse.execute(f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
    with pytest.raises(PySparkException, match="other"):
        write(spark.sql("SELECT 1L AS id, 2 AS other"), clickhouse, table)
    with pytest.raises(PySparkException, match="Timestamp.*Int64"):
        write(spark.sql("SELECT TIMESTAMP'2024-01-01 00:00:00' AS id"), clickhouse, table)


@pytest.mark.parametrize("match,action", [
    ("INSERT INTO", {"action": "lose_after"}), ("INSERT INTO", {"action": "lose_before"}),
    ("INSERT INTO", {"action": "refuse", "code": 252}), ("ATTACH PARTITION", {"action": "lose_after"}),
    ("MOVE PARTITION", {"action": "lose_after"}), ("DROP TABLE", {"action": "lose_after"}),
])
def test_what_passes_is_done_again_and_nothing_is_there_twice(spark, clickhouse, table, match, action):
    clickhouse.execute(f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
    write(spark.range(100), clickhouse, table)
    clickhouse.faults({"match": match, **action})
    write(spark.range(3000).repartition(3), clickhouse, table, write__batchSize="300", write__retryInterval="10ms")
    assert clickhouse.rows(f"SELECT count(), sum(id) FROM {table}") == [[3100, 4503450]]


@pytest.mark.parametrize("blocks,resets", [(16, 0), (40, 1)])
def test_only_attempts_of_many_blocks_are_merged(spark, clickhouse, table, blocks, resets):
    """Parts are moved as they are, but thousands of them would slow the target down."""
    clickhouse.execute(f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
    clickhouse.log()
    write(spark.range(blocks * 100).coalesce(1), clickhouse, table, write__batchSize="100")
    log = clickhouse.log()
    made = [sql for sql in log if "CREATE TABLE" in sql and "max_bytes_to_merge_at_max_space_in_pool = 1" in sql]
    assert len(made) == 1 and len([sql for sql in log if "RESET SETTING" in sql]) == resets
    assert clickhouse.rows(f"SELECT count(), uniqExact(id) FROM {table}") == [[blocks * 100] * 2]
    (kept,) = clickhouse.rows(f"SELECT engine_full FROM system.tables WHERE name = '{table}'")
    assert "max_bytes_to_merge" not in kept[0]


@pytest.mark.parametrize("mode", ["append", "overwrite"])
@pytest.mark.parametrize("match", ["INSERT INTO", "MOVE PARTITION", "ATTACH PARTITION", "EXCHANGE", "system.parts"])
def test_a_write_that_fails_leaves_the_table_as_it_was(spark, clickhouse, table, mode, match):
    clickhouse.execute(f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
    write(spark.range(10), clickhouse, table)
    clickhouse.faults({"match": match, "action": "refuse", "code": 497, "skip": 1 if match in ("INSERT INTO", "system.parts") else 0})
    expected = [[10, 45]]
    if (match, mode) in {("ATTACH PARTITION", "overwrite"), ("EXCHANGE", "append")}:
        expected = [[1000, 499500]] if mode == "overwrite" else [[1010, 499545]]
        write(spark.range(1000).repartition(2), clickhouse, table, mode, write__batchSize="100")
    else:
        with pytest.raises(PySparkException, match="made to fail"):
            write(spark.range(1000).repartition(2), clickhouse, table, mode, write__batchSize="100")
    assert clickhouse.rows(f"SELECT count(), sum(id) FROM {table}") == expected


def test_rows_that_fail_late_leave_nothing(spark, clickhouse, table):
    with pytest.raises(PySparkException, match="DIVIDE_BY_ZERO"):
        write(spark.range(100_000).select((F.lit(1) / (F.col("id") - 99_999)).alias("x")), clickhouse, table)
    assert clickhouse.rows(f"SELECT count() FROM system.tables WHERE name = '{table}'") == [[0]]


def test_an_answer_that_ends_early_is_an_error(spark, clickhouse, table):
    clickhouse.execute(f"CREATE TABLE {table} ENGINE = MergeTree ORDER BY id AS SELECT number AS id FROM numbers(100000)")
    frame = read(spark, clickhouse, table, read__splitByPartitionId="false")
    for action, text in (("late", "made to fail late"), ("cut", "ended before its end")):
        clickhouse.faults({"match": "ArrowStream", "action": action, "times": 100})
        with pytest.raises(PySparkException, match=text):
            frame.agg(F.sum("id")).collect()
        clickhouse.faults()
    assert frame.count() == 100_000


def test_a_server_that_dies_half_way_keeps_the_old_rows(spark, clickhouse, table):
    clickhouse.execute(f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
    write(spark.range(10), clickhouse, table)
    clickhouse.faults({"match": "INSERT INTO", "action": "die", "skip": 2})
    with pytest.raises(PySparkException):
        write(spark.range(10_000).repartition(2), clickhouse, table, write__batchSize="1000", write__retryInterval="10ms")
    clickhouse.process.popen.wait(10)
    clickhouse.start()
    assert clickhouse.rows(f"SELECT count() FROM {table}") == [[10]]
    # Nobody could drop what the dead server had; a later write does.
    write(spark.range(5), clickhouse, table, write__stagingMaxAge="0")
    assert clickhouse.rows(f"SELECT count() FROM {table}") == [[15]]


def test_staging_tables_of_the_dead_are_dropped_and_those_of_the_living_stay(spark, clickhouse, table):
    clickhouse.execute(f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
    dead, living = (f"_firesteel_stage_{letter * 32}" for letter in "ab")
    for stage in (dead, f"{dead}_0_x", living, f"{living}_0_x", f"{living}_1_x"):
        clickhouse.execute(f"CREATE TABLE {stage} AS {table}")
    time.sleep(6)
    clickhouse.execute(f"INSERT INTO {living}_1_x VALUES (1)")
    write(spark.range(5), clickhouse, table, write__stagingMaxAge="5s")
    left = {name for (name,) in clickhouse.rows("SELECT name FROM system.tables WHERE name LIKE '\\\\_firesteel%'")}
    assert left == {living, f"{living}_0_x", f"{living}_1_x"}
    write(spark.range(5), clickhouse, table, write__stagingMaxAge="0")


def test_a_write_whose_stage_was_dropped_fails(spark, clickhouse, table):
    """As a janitor who takes it for dead would: nothing may be lost in silence."""
    clickhouse.execute(f"CREATE TABLE {table} (id Int64) ENGINE = MergeTree ORDER BY id")
    stop, seen = threading.Event(), []

    def drop():
        while not stop.is_set():
            for (name,) in clickhouse.rows("SELECT name FROM system.tables WHERE name LIKE '\\\\_firesteel%\\\\_0\\\\_%'"):
                stage = name[: len("_firesteel_stage_") + 32]
                clickhouse.execute(f"DROP TABLE IF EXISTS `{stage}` SYNC")
                seen.append(stage)

    thread = threading.Thread(target=drop)
    thread.start()
    try:
        with pytest.raises(PySparkException, match="stage is gone|dropped staging table|does not exist"):
            write(spark.range(100_000), clickhouse, table, write__batchSize="1000")
    finally:
        stop.set()
        thread.join()
    assert seen and clickhouse.rows(f"SELECT count() FROM {table}") == [[0]]
    write(spark.range(5), clickhouse, table, write__stagingMaxAge="0")
