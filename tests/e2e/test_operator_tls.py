"""Clusters whose ports speak TLS, with certificates from Secrets that are renewed, on a real control plane."""
import base64
import os
import shutil
import ssl
import subprocess
import sys

import grpc
import pytest

import control_plane
import kube_proxy
import kubelet
from operators import cluster_spec, job_spec
from test_operator import space  # noqa: F401: a fixture

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make certificates")
# Each line it is told has a session of PySpark, the same for all, count that many rows. Sessions over TLS are in processes
# of their own, since gRPC reads once in a process whom it trusts.
COUNTING = """import sys
from pyspark.sql import SparkSession
session = SparkSession.builder.remote(sys.argv[1]).create()
for line in sys.stdin:
    print("counted", session.sql(f"SELECT count(*) FROM range({int(line)})").collect()[0][0], flush=True)
"""
# All it knows is what its pod's environment says.
SCRIPT = """import os
from pyspark.sql import SparkSession
remote = os.environ["SPARK_REMOTE"]
assert "use_ssl=true" in remote, remote
assert "BEGIN CERTIFICATE" in open(os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"]).read()
assert SparkSession.builder.getOrCreate().sql("SELECT sum(id) FROM range(1000)").collect()[0][0] == 499500
"""


class Authority:
    """One who signs, and the Secrets with what was signed."""

    def __init__(self, folder):
        self.folder, self.made = folder, 0
        self.file = folder / "ca.crt"
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tests", "-keyout",
                      folder / "ca.key", "-out", self.file)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def sign(self, *names):
        """The data of a Secret as cert-manager makes one."""
        self.made += 1
        key, request, leaf = (self.folder / f"{self.made}.{end}" for end in ("key", "csr", "crt"))
        said = self.folder / f"{self.made}.ext"
        said.write_text(f"subjectAltName={','.join(names)}\n")
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=c", "-keyout", key, "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.folder / "ca.key", "-CAcreateserial",
                      "-days", "2", "-extfile", said, "-out", leaf)
        texts = {"tls.crt": leaf.read_text(), "tls.key": key.read_text(), "ca.crt": self.file.read_text()}
        return {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}


def secret(kube, space, data):  # noqa: F811
    kube.api.create(f"/api/v1/namespaces/{space}/secrets", {
        "metadata": {"name": "cert"}, "type": "kubernetes.io/tls", "data": data})


def certificate(data):
    return ssl.PEM_cert_to_DER_cert(base64.b64decode(data["tls.crt"]).decode())


def shown(host, port):
    """The certificate a port shows, if it shows one."""
    try:
        return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((host, port), timeout=5))
    except OSError:
        return None


class Counting:
    """PySpark in a process of its own."""

    def __init__(self, folder, authority, remote):
        script = folder / "counting.py"
        script.write_text(COUNTING)
        env = {**os.environ, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(authority.file)}
        self.popen = subprocess.Popen([sys.executable, script, remote], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      env=env)

    def count(self, number):
        self.popen.stdin.write(f"{number}\n")
        self.popen.stdin.flush()
        return self.popen.stdout.readline().strip() == f"counted {number}"

    def end(self):
        self.popen.stdin.close()
        return self.popen.wait(30)


def condition(kube, space, kind):  # noqa: F811
    conditions = kube.status("cluster", space, "c").get("conditions", [])
    return next(((c["status"], c["message"]) for c in conditions if c["type"] == kind), (None, ""))


def flight(host, authority, token):
    dbapi = pytest.importorskip("adbc_driver_flightsql.dbapi")
    options = {"adbc.flight.sql.client_option.tls_root_certs": authority.file.read_text(),
               "adbc.flight.sql.authorization_header": f"Bearer {token}"}
    with dbapi.connect(f"grpc+tls://{host}:32010", autocommit=True, db_kwargs=options) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 AS one")
            return cursor.fetch_arrow_table()["one"].to_pylist()


def answers_in_the_clear(host):
    with grpc.insecure_channel(f"{host}:15002") as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=3)
            return True
        except grpc.FutureTimeoutError:
            return False


def test_ports_speak_tls_and_a_renewed_certificate_is_shown_while_sessions_go_on(kube, space, tmp_path):  # noqa: F811
    authority, host = Authority(tmp_path), kubelet.address(space, "c-scheduler")
    names = (f"DNS:c.{space}.svc", f"IP:{host}")
    first, second = authority.sign(*names), authority.sign(*names)
    kube.create("cluster", space, "c", cluster_spec(
        tmp_path / "w", tls={"secretName": "cert"}, access={"tokens": True}, allowUnauthenticated=False))
    kube.create("token", space, "ann", {"clusterRef": {"name": "c"}, "role": "user", "secretName": "ann-secret"})

    # What is missing is told, and what cannot be used.
    missing = kube.wait("the condition", lambda: condition(kube, space, "CertificateFound")[0] == "False" and condition(kube, space, "Ready"))
    assert missing == ("False", "there is no Secret 'cert' for spec.tls"), missing
    assert any(name == "c" and reason == "CertificateUnusable" for name, reason, _ in kube.events(space))
    secret(kube, space, {**first, "tls.key": second["tls.key"]})
    kube.wait("it is refused", lambda: "the private key is not that of the certificate" in condition(kube, space, "CertificateFound")[1])
    kube.api.merge(f"/api/v1/namespaces/{space}/secrets/cert", {"data": first})
    status = kube.wait_phase("cluster", space, "c", "Ready")
    assert condition(kube, space, "CertificateFound") == ("True", "")
    assert status["endpoints"]["sparkConnect"] == f"sc://c.{space}.svc:15002/;use_ssl=true"
    assert status["endpoints"]["flightSql"] == f"grpc+tls://c.{space}.svc:32010"
    assert [shown(host, port) for port in (15002, 32010)] == [certificate(first)] * 2

    # Clients, with their tokens; scripts of jobs; jobs in SQL, which the operator submits.
    token = kube.wait("the Secret of ann", lambda: kube.secret(space, "ann-secret"), 20)
    assert not answers_in_the_clear(host)
    session = Counting(tmp_path, authority, f"sc://{host}:15002/;use_ssl=true;token={token}")
    assert session.count(10) and flight(host, authority, token) == [1]
    kube.api.create(f"/api/v1/namespaces/{space}/configmaps", {"metadata": {"name": "scripts"}, "data": {"main.py": SCRIPT}})
    kube.create("job", space, "script", {"clusterRef": {"name": "c"}, "python": {
        "image": "python:test", "configMapKeyRef": {"name": "scripts", "key": "main.py"}}})
    kube.create("job", space, "sql", job_spec("c", "SELECT 1"))
    kube.wait_phase("job", space, "sql", "Succeeded")
    kube.wait_phase("job", space, "script", "Succeeded")

    # A renewed certificate is shown without another pod or process, and sessions go on.
    pods = f"/api/v1/namespaces/{space}/pods/c-scheduler"
    before = kube.api.get(pods)
    kube.api.merge(f"/api/v1/namespaces/{space}/secrets/cert", {"data": second})
    # The kubelet of the tests looks at Secrets when a pod changes; a real one does so each minute.
    kube.api.merge(pods, {"metadata": {"annotations": {"test/looked": "now"}}})
    kube.wait("the renewed certificate", lambda: [shown(host, port) for port in (15002, 32010)] == [certificate(second)] * 2)
    assert session.count(20) and session.end() == 0
    later = Counting(tmp_path, authority, f"sc://{host}:15002/;use_ssl=true;token={token}")
    assert later.count(30) and later.end() == 0 and flight(host, authority, token) == [1]
    after = kube.api.get(pods)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    restarts = [pod["status"]["containerStatuses"][0]["restartCount"] for pod in (before, after)]
    assert restarts[0] == restarts[1]

    # Without the Secret it goes on, and says so.
    kube.api.delete(f"/api/v1/namespaces/{space}/secrets/cert")
    kube.wait("it is missed", lambda: condition(kube, space, "CertificateFound")[0] == "False", 60)
    assert kube.status("cluster", space, "c")["phase"] == "Ready" and shown(host, 15002) == certificate(second)


def test_a_client_that_connects_by_tls_wakes_its_cluster(kube, space, tmp_path):  # noqa: F811
    authority, host = Authority(tmp_path), kube_proxy.address(space, "c")
    pod = kubelet.address(space, "c-scheduler")
    made = authority.sign(f"DNS:c.{space}.svc", f"IP:{host}")
    secret(kube, space, made)
    kube.create("cluster", space, "c", cluster_spec(
        tmp_path / "w", tls={"secretName": "cert"}, hibernation={"idleAfterSeconds": 5, "wakeOnConnection": True}))
    kube.wait_phase("cluster", space, "c", "Hibernated")
    kube.patch("cluster", space, "c", {"hibernation": {"idleAfterSeconds": 600}})
    kube.proxy.serve(space, "c")
    kube.wait("the certificate, while nothing runs", lambda: shown(host, 15002) == certificate(made), 30)
    assert kube.status("cluster", space, "c")["phase"] == "Hibernated" and shown(pod, 15002) is None
    session = Counting(tmp_path, authority, f"sc://{host}:15002/;use_ssl=true")
    assert session.count(10)
    kube.wait_phase("cluster", space, "c", "Ready")
    # When the operator listens no more, the same session goes on without it.
    kube.wait("the scheduler alone", lambda: condition(kube, space, "ActivatorListening")[0] == "False", 60)
    assert session.count(20) and session.end() == 0


def test_an_ingress_that_speaks_another_protocol_than_the_port_is_refused(kube, space, tmp_path):  # noqa: F811
    protocol = "nginx.ingress.kubernetes.io/backend-protocol"

    def ingress(service, said):
        return cluster_spec(tmp_path / "w", tls={"secretName": "cert"}, ingress={
            "host": "c.example.com", "service": service, "annotations": {protocol: said}})

    for service in ("SparkConnect", "FlightSql"):
        with pytest.raises(control_plane.Refused, match="must be GRPCS with spec.tls"):
            kube.create("cluster", space, "c", ingress(service, "GRPC"))
    kube.create("cluster", space, "one", ingress("SparkConnect", "GRPCS"))
    # REST does not speak TLS.
    kube.create("cluster", space, "two", ingress("Rest", "HTTP"))
