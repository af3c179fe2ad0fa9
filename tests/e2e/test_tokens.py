"""Tokens and roles at every door, on one process and on a cluster; TLS."""
import base64
import hashlib
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

import services

dbapi = pytest.importorskip("adbc_driver_flightsql.dbapi")
ROLES = {"see": "viewer", "ann": "user", "bob": "user", "root": "admin"}


def line(name, role, token, expires=""):
    return f"{name} {role} {hashlib.sha256(token.encode()).hexdigest()} {expires}\n"


def tokens():
    return "".join(line(name, role, f"{name}-secret") for name, role in ROLES.items())


@pytest.fixture(scope="module", params=["local", "cluster"])
def guarded(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"tokens-{request.param}")
    file = folder / "tokens"
    file.write_text(tokens() + line("late", "admin", "late-secret", "2020-01-01T00:00:00Z"))
    server = services.Firesteel(request.param, folder, {"FIRESTEEL_TOKENS": str(file)}, executors=1, memory="512m",
                                token="root-secret")
    server.file = file
    yield server
    alive = server.alive()
    server.stop()
    assert alive


def one(folder, remote, env=None):
    """The number 1 by Spark Connect, in a process of its own: a client that is refused tries again for long. From a file,
    since PySpark takes `python -c` for a run of its own tests."""
    script = folder / "one.py"
    script.write_text("import sys; from pyspark.sql import SparkSession\n"
                      "print('got', SparkSession.builder.remote(sys.argv[1]).create().sql('SELECT 1').collect()[0][0])\n")
    return subprocess.run([sys.executable, script, remote], capture_output=True, text=True, timeout=60, env=env)


def connect(server, token):
    return one(server.folder, f"sc://localhost:{server.connect_port}/" + (f";token={token}" if token else ""))


def flight(server, **options):
    with dbapi.connect(f"grpc://127.0.0.1:{server.flight_port}", autocommit=True, db_kwargs=options) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 AS one")
            return cursor.fetch_arrow_table()["one"].to_pylist()


def bearer(token):
    return {"adbc.flight.sql.authorization_header": f"Bearer {token}"}


def code(server, *arguments, **named):
    try:
        server.rest(*arguments, **named)
        return 200
    except urllib.error.HTTPError as error:
        return error.code


def test_spark_connect_wants_a_token_that_may_run_queries(guarded):
    good = connect(guarded, "ann-secret")
    assert "got 1" in good.stdout, good.stderr
    for token, word in [("", "valid token"), ("ann-secre", "valid token"), ("late-secret", "valid token"),
                        ("see-secret", "role user is needed")]:
        bad = connect(guarded, token)
        assert bad.returncode != 0 and word in bad.stderr, (token, bad.stderr[-500:])


def test_flight_wants_a_token_as_bearer_or_password(guarded):
    assert flight(guarded, **bearer("ann-secret")) == [1]
    assert flight(guarded, username="anybody", password="root-secret") == [1]
    for options in [{}, bearer("nobody"), bearer("late-secret"), bearer("see-secret"), {"username": "ann", "password": "x"}]:
        with pytest.raises(Exception) as refused:
            flight(guarded, **options)
        assert "token is required" in str(refused.value) or "role user" in str(refused.value), refused.value


def test_rest_lets_viewers_look_users_run_and_admins_do_everything(guarded):
    job = b'{"sql": "SELECT 1"}'
    assert code(guarded, "load", token="wrong") == 401 and code(guarded, "load", token="see-secret") == 200
    assert code(guarded, "submissions/mine", "PUT", token="see-secret", body=job) == 403
    assert code(guarded, "submissions/mine", "PUT", token="ann-secret", body=job) == 200
    assert code(guarded, "submissions/mine", "PUT", token="bob-secret", body=job) == 409
    assert '"owner":"ann"' in guarded.rest("submissions/mine")
    assert [code(guarded, "submissions/mine", "DELETE", token=f"{name}-secret") for name in ROLES] == [403, 200, 403, 200]
    drained = [code(guarded, "executors/none/drain", "PUT", token=f"{name}-secret") for name in ROLES]
    assert drained == [403, 403, 403, 404]
    for path in ["healthz", "readyz"]:
        with urllib.request.urlopen(f"http://127.0.0.1:{guarded.rest_port}/{path}", timeout=5) as answer:
            assert answer.read() == b"ok"
    for path in ["", "metrics", "api/v1/submissions"]:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{guarded.rest_port}/{path}", timeout=5)
        assert refused.value.code == 401 and "Basic" in refused.value.headers["www-authenticate"]
    password = base64.b64encode(b"me:see-secret").decode()
    page = urllib.request.Request(f"http://127.0.0.1:{guarded.rest_port}/", headers={"authorization": f"Basic {password}"})
    assert "Firesteel" in urllib.request.urlopen(page, timeout=5).read().decode()


def test_a_token_that_is_taken_away_is_worth_nothing_and_a_new_one_something(guarded):
    handshaken = dbapi.connect(f"grpc://127.0.0.1:{guarded.flight_port}", autocommit=True,
                               db_kwargs={"username": "ann", "password": "ann-secret"})
    try:
        guarded.file.write_text(tokens().replace(line("ann", "user", "ann-secret"), line("ann", "user", "next-secret")))
        services.wait_until("the new token", lambda: code(guarded, "load", token="next-secret") == 200, 20)
        assert code(guarded, "load", token="ann-secret") == 401
        with handshaken.cursor() as cursor, pytest.raises(Exception) as refused:
            cursor.execute("SELECT 1")
            cursor.fetch_arrow_table()
        assert "token is required" in str(refused.value)
    finally:
        handshaken.close()
        guarded.file.write_text(tokens() + line("late", "admin", "late-secret", "2020-01-01T00:00:00Z"))
        services.wait_until("the old token", lambda: code(guarded, "load", token="ann-secret") == 200, 20)


def test_no_log_holds_a_token(guarded):
    assert connect(guarded, "bob-secret").returncode == 0
    for log in guarded.folder.glob("*.log"):
        assert "-secret" not in log.read_text()


def test_jobs_of_the_command_line_take_the_token(guarded, tmp_path):
    (tmp_path / "job.sql").write_text("SELECT 1")
    command = [services.BINARY, "jobs", "--rest", f"http://127.0.0.1:{guarded.rest_port}", "submit", tmp_path / "job.sql", "-w"]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 1 and "FIRESTEEL_TOKEN" in refused.stderr
    done = subprocess.run([*command, "--token", "ann-secret"], capture_output=True, text=True)
    assert done.returncode == 0 and "succeeded" in done.stdout and "ann" in done.stdout, done.stderr


def start(tmp_path, *arguments, command="server"):
    ports = [word for name in ("connect", "flight", "rest") for word in (f"--{name}-port", services.free_port())]
    return services.Process("public", [services.BINARY, command, *ports, "--memory", "256m", *arguments], tmp_path)


def test_a_public_address_needs_tokens_or_a_word(tmp_path):
    file = tmp_path / "tokens"
    file.write_text(tokens())
    bare = start(tmp_path, "--bind", "0.0.0.0")
    assert bare.popen.wait(20) == 1 and "--tokens" in bare.log.read_text()
    scheduler = start(tmp_path, "--bind", "0.0.0.0", "--tokens", file, "--cluster-port", services.free_port(),
                      command="scheduler")
    assert scheduler.popen.wait(20) == 1 and "executors reach the scheduler" in scheduler.log.read_text()
    good = start(tmp_path, "--bind", "0.0.0.0", "--tokens", file)
    try:
        services.wait_until("the server", lambda: "ready" in good.log.read_text(), 30, good.popen)
        assert "without TLS" in good.log.read_text()
    finally:
        good.stop()
    file.write_text("ann boss 00\n")
    bad = start(tmp_path, "--tokens", file)
    assert bad.popen.wait(20) == 1 and "line 1" in bad.log.read_text()


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make a certificate")
def test_tls(tmp_path):
    certificate, key, file = tmp_path / "tls.crt", tmp_path / "tls.key", tmp_path / "tokens"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    file.write_text(tokens())
    env = {"FIRESTEEL_TOKENS": str(file), "FIRESTEEL_TLS_CERT": str(certificate), "FIRESTEEL_TLS_KEY": str(key)}
    server = services.Firesteel("local", tmp_path, env, memory="256m")
    try:
        got = one(tmp_path, f"sc://localhost:{server.connect_port}/;use_ssl=true;token=ann-secret",
                  {**os.environ, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate)})
        assert "got 1" in got.stdout, got.stderr
        with dbapi.connect(f"grpc+tls://localhost:{server.flight_port}", autocommit=True, db_kwargs={
                "adbc.flight.sql.client_option.tls_root_certs": certificate.read_text(), **bearer("ann-secret")}) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 AS one")
                assert cursor.fetch_arrow_table()["one"].to_pylist() == [1]
    finally:
        server.stop()
