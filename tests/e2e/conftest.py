"""Fixtures: every test that takes `spark` or `server` runs twice, on one process and on a cluster of three.

`./test` runs them in two processes (pytest-xdist), each with services of its own; a set-up stays in one of them."""
import logging
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import pytest

import services
from s3_proxy import S3Proxy

os.environ["TZ"] = "UTC"
# PySpark takes a program without a file, as xdist's workers are, for a run of its own doctests.
sys.modules["__main__"].__dict__.setdefault("__file__", __file__)
logging.getLogger("pyspark").setLevel(logging.CRITICAL)  # the client logs every error of a query
HERE = pathlib.Path(__file__).parent
QUERIES = sorted((HERE.parent.parent / "benches" / "tpch" / "queries").glob("q*.sql"))


def setup_of(item):
    """What a test runs on, which is started once: a set-up of Firesteel, the operator on its control plane, or what its file starts."""
    if "kube" in item.fixturenames:
        return "operator"
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return parameters.get("server", item.path.stem)


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(items):
    """What is known to fall short runs and is reported as `xfail`, with the reason from known_failures.txt."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(setup_of(item)))
    known = {}
    for line in (HERE / "known_failures.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, reason = line.partition(": ")
            known[name] = reason
    for item in items:
        for name in (item.name, item.name.split("[")[0]):
            if name in known:
                item.add_marker(pytest.mark.xfail(reason=known[name], strict=False))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """A test that hangs fails: nothing here may take longer than a few minutes."""

    def late(*_):
        raise TimeoutError(f"{item.name} took longer than {limit} s")

    limit = 700 if "score" in item.name else 400 if "killed" in item.name else 240
    signal.signal(signal.SIGALRM, late)
    signal.alarm(limit)
    try:
        return (yield)
    finally:
        signal.alarm(0)


@pytest.fixture(scope="session")
def folder():
    path = os.environ.get("FIRESTEEL_TEST_DIR")
    if path:
        own = pathlib.Path(path) / os.environ.get("PYTEST_XDIST_WORKER", "")
        own.mkdir(parents=True, exist_ok=True)
        yield own
        return
    with tempfile.TemporaryDirectory(prefix="firesteel-test-", ignore_cleanup_errors=True) as made:
        yield pathlib.Path(made)


@pytest.fixture(scope="session")
def s3(folder):
    try:
        service = services.S3(folder)
    except services.Unavailable as reason:
        pytest.skip(str(reason))
    yield service
    service.process.stop()


@pytest.fixture
def s3_proxy(s3):
    """Another door to the same S3, whose requests can be made to fail."""
    made = S3Proxy(s3.port)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def postgres(folder):
    try:
        service = services.Postgres(folder)
    except services.Unavailable as reason:
        pytest.skip(str(reason))
    yield service
    service.stop()


@pytest.fixture(scope="session")
def kube(folder):
    """A real Kubernetes control plane with the operator on it."""
    import operators

    try:
        made = operators.Kubernetes(folder / "kubernetes")
    except services.Unavailable as reason:
        pytest.skip(str(reason))
    yield made
    made.stop()


@pytest.fixture(scope="session")
def clickhouse(folder):
    try:
        service = services.ClickHouse(folder)
    except services.Unavailable as reason:
        pytest.skip(str(reason))
    yield service
    service.stop()


@pytest.fixture(scope="session")
def store_env(request):
    """Credentials of the test's S3 for the servers, when there is an S3."""
    try:
        return request.getfixturevalue("s3").env
    except pytest.skip.Exception:
        return {}


@pytest.fixture(scope="session", params=["local", "cluster"])
def server(request, folder, store_env):
    home = folder / request.param
    home.mkdir(exist_ok=True)
    firesteel = services.Firesteel(request.param, home, store_env)
    yield firesteel
    alive = firesteel.alive()
    firesteel.stop()
    assert alive, f"the {request.param} server died during the tests, see {home}"


@pytest.fixture
def spark(server):
    session = server.session()
    yield session
    try:
        session.stop()
    except Exception:
        pass


@pytest.fixture
def path(server, tmp_path):
    """A fresh folder that all processes see."""
    return str(tmp_path)


@pytest.fixture(scope="session")
def tpch(folder):
    """TPC-H as parquet files; the scale factor is FIRESTEEL_TPCH_SF. With less than 1, tables are too small for most rules."""
    factor = os.environ.get("FIRESTEEL_TPCH_SF", "1")
    target = services.CACHE / "data" / f"tpch-sf{factor}"
    with services.made_once(target) as missing:
        if missing:
            tool = pathlib.Path(sys.executable).parent / "tpchgen-cli"
            subprocess.run([tool, "parquet", "-s", factor, "--output-dir", target, "--overwrite"], check=True)
    return target


@pytest.fixture(scope="session")
def tpch_answers(tpch):
    """Known answers: DuckDB's, over the same files."""
    import duckdb

    connection = duckdb.connect()
    for file in tpch.glob("*.parquet"):
        connection.execute(f"CREATE VIEW {file.stem} AS SELECT * FROM '{file}'")
    return {q.stem: connection.execute(q.read_text()).fetchall() for q in QUERIES}
