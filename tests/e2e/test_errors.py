"""Bad input: a clear error to that client, and the server serves the next query."""
import socket
import threading
import time

import grpc
import pytest
from pyspark.errors import AnalysisException, ParseException, PySparkException
from pyspark.sql import functions as F


@pytest.fixture(autouse=True)
def still_serving(spark):
    yield
    assert spark.sql("SELECT 41 + 1").collect()[0][0] == 42


def test_broken_sql_has_class_position_and_caret(spark):
    with pytest.raises(ParseException) as error:
        spark.sql("SELECT 1 FROM t WHERE )")
    assert error.value.getCondition() == "PARSE_SYNTAX_ERROR" and error.value.getSqlState() == "42601"
    assert "^^^" in str(error.value) and "(line 1, pos" in str(error.value)


def test_unknown_column_suggests(spark):
    with pytest.raises(AnalysisException) as error:
        spark.sql("SELECT nmae FROM (SELECT 1 AS name, 2 AS age)")
    assert error.value.getCondition() == "UNRESOLVED_COLUMN.WITH_SUGGESTION" and error.value.getSqlState() == "42703"
    assert "`name`" in error.value.getMessageParameters()["proposal"]
    context = error.value.getQueryContext()[0]
    assert context.fragment() == "nmae" and (context.startIndex(), context.stopIndex()) == (7, 10)


def test_unknown_table_and_function(spark):
    with pytest.raises(AnalysisException) as error:
        spark.sql("SELECT * FROM no_such_table")
    assert error.value.getCondition() == "TABLE_OR_VIEW_NOT_FOUND"
    with pytest.raises(AnalysisException) as error:
        spark.sql("SELECT no_such_function(1)")
    assert error.value.getCondition() == "UNRESOLVED_ROUTINE"


def test_runtime_errors_keep_their_class(spark, tmp_path):
    spark.range(10).write.parquet(f"{tmp_path}/t")
    frame = spark.read.parquet(f"{tmp_path}/t")
    with pytest.raises(PySparkException) as error:
        frame.select(F.lit(1) / (F.col("id") - 5)).collect()
    assert error.value.getCondition() == "DIVIDE_BY_ZERO" and error.value.getSqlState() == "22012"
    with pytest.raises(PySparkException) as error:
        frame.selectExpr("CAST(concat('x', id) AS INT)").collect()
    assert error.value.getCondition() == "CAST_INVALID_INPUT"


def test_expression_of_100_000_terms(spark):
    with pytest.raises(PySparkException) as error:
        spark.sql("SELECT " + "1+" * 100_000 + "1").collect()
    assert error.value.getCondition() == "FAILED_TO_PARSE_TOO_COMPLEX"
    assert spark.sql("SELECT " + " OR ".join(["id = 1"] * 5_000) + " AS x FROM range(1)").collect()[0].x is False


def test_deep_parentheses(spark):
    with pytest.raises(PySparkException):
        spark.sql("SELECT " + "(" * 50_000 + "1" + ")" * 50_000).collect()


def test_malformed_protobuf(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.connect_port}") as channel:
        call = channel.unary_stream("/spark.connect.SparkConnectService/ExecutePlan")
        with pytest.raises(grpc.RpcError):
            list(call(b"\xff\xfe\xfd not a message"))
        deep = b""
        for _ in range(20_000):  # Relation.filter(input=Relation...) nested without end
            inner = b"\x0a" + varint(len(deep)) + deep
            deep = b"\x22" + varint(len(inner)) + inner
        request = b"\x0a\x24" + b"0" * 36 + b"\x1a" + varint(len(deep) + len(varint(len(deep))) + 1) + b"\x0a" + varint(len(deep)) + deep
        with pytest.raises(grpc.RpcError):
            list(call(request))


def varint(n):
    out = b""
    while True:
        out += bytes([n & 127 | (128 if n > 127 else 0)])
        n >>= 7
        if not n:
            return out


def test_garbage_on_the_port(server):
    with socket.create_connection(("127.0.0.1", server.connect_port)) as s:
        s.sendall(b"GET / HTTP/1.1\r\n\r\n" * 10)


def heavy(spark):
    return spark.range(100_000_000).selectExpr("sum(sqrt(id) * ln(id + 1)) AS x").crossJoin(
        spark.range(400_000_000).selectExpr("sum(sin(id)) AS y"))


def busy(server):
    return sum(p.cpu_seconds() for p in [server.main, *server.executors])


def wait_for_idle(server, seconds=20):
    deadline = time.time() + seconds
    while time.time() < deadline:
        before = busy(server)
        time.sleep(1)
        if busy(server) - before < 0.3:
            return
    raise AssertionError(f"still burning CPU after {seconds} s")


def test_interrupt_frees_the_cpu(server, spark):
    failure = []

    def run():
        try:
            heavy(spark).collect()
        except Exception as error:
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(2)
    started = time.time()
    spark.interruptAll()
    thread.join(30)
    assert failure and time.time() - started < 15
    wait_for_idle(server)


def test_a_client_that_disconnects_frees_the_cpu(server):
    import subprocess
    import sys

    code = f"""
from pyspark.sql import SparkSession
s = SparkSession.builder.remote({server.remote!r}).create()
s.range(2000000000).selectExpr("sum(sin(id) * cos(id))").collect()
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(4)
    child.kill()
    child.wait()
    # A reattachable query waits for its client to come back; the session's release ends it.
    for session in [server.session()]:
        assert session.range(3).count() == 3
