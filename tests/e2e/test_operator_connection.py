"""Clients that connect to the Service of a cluster that sleeps: they wait for it, and their first query just takes longer."""
import json
import socket
import threading
import time
import urllib.error
import urllib.request

import pyspark.sql.connect.session  # noqa: F401: what takes time is not to be PySpark's own begin
import pytest
from pyspark.sql import SparkSession

from operators import cluster_spec
from test_operator import space  # noqa: F401: a fixture

SLICES = "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices"
WAKES = {"idleAfterSeconds": 5, "wakeOnConnection": True}


def asleep(kube, space, tmp_path):  # noqa: F811
    """A cluster that went to sleep for being idle, by the address of its Service. It will not do so again soon."""
    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w", hibernation=WAKES))
    kube.wait_phase("cluster", space, "c", "Hibernated")
    assert kube.pods(space) == []
    kube.patch("cluster", space, "c", {"hibernation": {"idleAfterSeconds": 600}})
    kube.wait("connections come to the operator", lambda: listening(kube, space) == ("True", "Listening"))
    host = kube.proxy.serve(space, "c")
    # A mere connection wakes nobody.
    kube.wait("the Service leads to the operator", lambda: answered(lambda: socket.create_connection((host, 15002), 5)))
    return host


def listening(kube, space, cluster="c"):  # noqa: F811
    conditions = kube.status("cluster", space, cluster).get("conditions", [])
    return next(((c["status"], c["reason"]) for c in conditions if c["type"] == "ActivatorListening"), None)


def slices(kube, space):  # noqa: F811
    """EndpointSlices by their names; Kubernetes makes one of the Service's pods, and leaves ours alone."""
    return {made["metadata"]["name"]: made for made in kube.api.get(SLICES.format(space))["items"]}


def phases(kube, space, until):  # noqa: F811
    """Phases of the cluster from now on, each with the seconds until it was seen, in a thread that ends when `until` is set."""
    seen, began = [], time.time()

    def look():
        while not until.wait(0.05):
            phase = kube.status("cluster", space, "c")["phase"]
            if not seen or seen[-1][0] != phase:
                seen.append((phase, round(time.time() - began, 1)))

    thread = threading.Thread(target=look)
    thread.start()
    return seen, thread


def query(host):
    session = SparkSession.builder.remote(f"sc://{host}:15002").create()
    return session, session.sql("SELECT sum(id) FROM range(10)").collect()[0][0]


def rest(host, path, timeout=60):
    try:
        with urllib.request.urlopen(f"http://{host}:8080{path}", timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_pyspark_that_connects_wakes_the_cluster_and_then_reaches_it_by_itself(kube, space, tmp_path):  # noqa: F811
    host = asleep(kube, space, tmp_path)
    made = slices(kube, space)
    assert len(made) == 2 and "c-activator" in made, made
    # Prometheus may find the operator behind the Service: it wakes nothing.
    before = kube.metric("firesteel_operator_connection_wakes_total")
    code, text = rest(host, "/metrics")
    assert code == 503 and "wakes none" in json.loads(text)["message"]
    assert kube.metric("firesteel_operator_connection_wakes_total") == before
    assert kube.status("cluster", space, "c")["phase"] == "Hibernated"

    over = threading.Event()
    seen, thread = phases(kube, space, over)
    began = time.time()
    try:
        session, total = query(host)
        took = time.time() - began
        assert total == 45
        kube.wait_phase("cluster", space, "c", "Ready")
    finally:
        over.set()
        thread.join()
    print(f"from hibernation to a client's first result: {took:.1f} s; {seen}")
    assert [phase for phase, _ in seen][-2:] == ["Waking", "Ready"]
    assert kube.metric("firesteel_operator_connection_wakes_total") == before + 1
    assert any("for a client that connected" in note for _, reason, note in kube.events(space) if reason == "Waking")
    # The session goes on while its connection moves from the operator to the scheduler.
    assert kube.metric("firesteel_operator_activator_connections") >= 1
    while kube.metric("firesteel_operator_activator_connections") > 0:
        assert session.sql("SELECT 1").collect()[0][0] == 1 and time.time() < began + 120
    assert listening(kube, space) == ("False", "Awake")
    assert "c-activator" not in slices(kube, space)
    assert session.range(7).count() == 7
    assert kube.metric("firesteel_operator_activator_connections") == 0
    session.stop()


def answered(call):
    """What it says, or nothing while nobody listens."""
    try:
        return call()
    except OSError:
        return None


def test_flight_sql_and_rest_wake_too_and_an_operator_that_dies_holds_nobody_up(kube, space, tmp_path):  # noqa: F811
    dbapi = pytest.importorskip("adbc_driver_flightsql.dbapi")
    host = asleep(kube, space, tmp_path)
    began = time.time()
    with dbapi.connect(f"grpc://{host}:32010", autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1 AS one")
        assert cursor.fetch_arrow_table()["one"].to_pylist() == [1]
    print(f"from hibernation to a first result by Flight SQL: {time.time() - began:.1f} s")
    kube.patch("cluster", space, "c", {"hibernation": {"idleAfterSeconds": 5}})
    kube.wait_phase("cluster", space, "c", "Hibernated")
    kube.patch("cluster", space, "c", {"hibernation": {"idleAfterSeconds": 600}})
    kube.wait("connections come to the operator", lambda: listening(kube, space) == ("True", "Listening"))
    began = time.time()
    code, text = rest(host, "/api/v1/load")
    print(f"from hibernation to an answer by REST: {time.time() - began:.1f} s")
    assert code == 200 and json.loads(text)["version"]
    kube.patch("cluster", space, "c", {"hibernation": {"idleAfterSeconds": 5}})
    kube.wait_phase("cluster", space, "c", "Hibernated")
    kube.patch("cluster", space, "c", {"hibernation": {"idleAfterSeconds": 600}})
    # Another process listens at other ports, and has the Service lead there.
    ports = slices(kube, space)["c-activator"]["ports"]
    kube.kill_operator()
    results = []
    client = threading.Thread(target=lambda: results.append(query(host)))
    client.start()
    kube.start_operator()
    client.join(90)
    assert [total for _, total in results] == [45]
    assert kube.status("cluster", space, "c")["phase"] in ("Waking", "Ready")
    assert ports not in [made["ports"] for made in slices(kube, space).values()]
    results[0][0].stop()


def test_who_sleeps_by_hand_is_not_woken_and_who_waits_is_told(kube, space, tmp_path):  # noqa: F811
    import grpc
    from pyspark.sql.connect.proto import base_pb2, base_pb2_grpc

    host = asleep(kube, space, tmp_path)
    # It cannot start, so that whoever connects waits.
    kube.patch("cluster", space, "c", {"image": "no-such-image"})
    request = base_pb2.AnalyzePlanRequest(session_id="4d9cd0d6-9ae1-4a75-9b2b-1d6c0f0d4c11",
                                          spark_version=base_pb2.AnalyzePlanRequest.SparkVersion())
    with grpc.insecure_channel(f"{host}:15002") as channel:
        call = base_pb2_grpc.SparkConnectServiceStub(channel).AnalyzePlan.future(request, timeout=60, wait_for_ready=True)
        kube.wait_phase("cluster", space, "c", "Waking", "Degraded")
        assert not call.done()
        kube.patch("cluster", space, "c", {"hibernation": {"suspend": True}})
        error = call.exception()
    assert error.code() == grpc.StatusCode.UNAVAILABLE and "takes no connections: Suspended" in error.details(), error
    kube.wait_phase("cluster", space, "c", "Hibernated")
    assert listening(kube, space) == ("False", "Suspended")
    kube.wait("nobody is behind the Service", lambda: answered(lambda: rest(host, "/")) is None)
    assert kube.status("cluster", space, "c")["phase"] == "Hibernated"
    # An EndpointSlice of that name that is somebody else's is left alone.
    theirs = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": [],
              "ports": [], "metadata": {"name": "d-activator", "namespace": space}}
    kube.api.create(SLICES.format(space), theirs)
    kube.create("cluster", space, "d", cluster_spec(tmp_path / "w", image="no-such-image", hibernation=WAKES))
    kube.wait("it says so", lambda: listening(kube, space, "d") == ("False", "EndpointSliceTaken"))
    assert not kube.api.get(SLICES.format(space) + "/d-activator")["ports"]
    kube.patch("cluster", space, "d", {"hibernation": {"wakeOnConnection": False}})
    kube.wait("it is not said any more", lambda: listening(kube, space, "d") is None)
    assert kube.api.maybe(SLICES.format(space) + "/d-activator")


def test_an_operator_without_an_address_says_that_connections_wake_nothing(kube, space, tmp_path):  # noqa: F811
    kube.kill_operator()
    kube.start_operator(activator=None)
    try:
        kube.create("cluster", space, "c", cluster_spec(tmp_path / "w", hibernation=WAKES))
        kube.wait("it says so", lambda: listening(kube, space) == ("False", "NoActivator"))
        assert any("--activator-address" in note for _, reason, note in kube.events(space) if reason == "NoActivator")
    finally:
        kube.kill_operator()
        kube.start_operator()
    kube.wait("another operator has one", lambda: listening(kube, space)[1] != "NoActivator")
