"""Callers that Kubernetes knows, at the doors of a cluster: ServiceAccounts with tokens of a real API server, by its RBAC."""
import urllib.error

import grpc
import pytest

import control_plane
import kubelet
from operators import cluster_spec
from test_operator import space  # noqa: F401: a fixture

AUDIENCE = "firesteel-test"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


class Doors:
    """The doors of a cluster named c, by their codes."""

    def __init__(self, kube, space):  # noqa: F811
        self.kube, self.space, self.host = kube, space, kubelet.address(space, "c-scheduler")

    def rest(self, token, *arguments):
        try:
            self.kube.rest(self.space, "c", *arguments, token=token)
            return 200
        except urllib.error.HTTPError as error:
            return error.code

    def connect(self, token):
        """How Spark Connect answers at once; PySpark itself would try again for long."""
        from pyspark.sql.connect.proto import base_pb2, base_pb2_grpc

        request = base_pb2.AnalyzePlanRequest(session_id="4d9cd0d6-9ae1-4a75-9b2b-1d6c0f0d4c11",
                                              spark_version=base_pb2.AnalyzePlanRequest.SparkVersion())
        with grpc.insecure_channel(f"{self.host}:15002") as channel:
            try:
                base_pb2_grpc.SparkConnectServiceStub(channel).AnalyzePlan(
                    request, timeout=20, metadata=[("authorization", f"Bearer {token}")])
                return "OK"
            except grpc.RpcError as error:
                return error.code().name

    def flight(self, token):
        """The rows of a query, after a handshake with the token as password."""
        dbapi = pytest.importorskip("adbc_driver_flightsql.dbapi")
        options = {"username": "anybody", "password": token}
        with dbapi.connect(f"grpc://{self.host}:32010", autocommit=True, db_kwargs=options) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 AS one")
                return cursor.fetch_arrow_table()["one"].to_pylist()


def account(kube, space, name, verb=None):  # noqa: F811
    """A ServiceAccount with a verb on the cluster."""
    kube.api.create(f"/api/v1/namespaces/{space}/serviceaccounts", {"metadata": {"name": name}})
    if verb:
        kube.api.create(f"{RBAC}/namespaces/{space}/roles", {"metadata": {"name": name}, "rules": [
            {"apiGroups": ["firesteel.dev"], "resources": ["firesteelclusters"], "resourceNames": ["c"], "verbs": [verb]}]})
        kube.api.create(f"{RBAC}/namespaces/{space}/rolebindings", {
            "metadata": {"name": name}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": space}]})


def token(kube, space, name, *audiences):  # noqa: F811
    """A token of a ServiceAccount, as `kubectl create token` gets one."""
    made = kube.api.create(f"/api/v1/namespaces/{space}/serviceaccounts/{name}/token", {
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": list(audiences)}})
    return made["status"]["token"]


def bind(kube, space, name):  # noqa: F811
    """Lets a ServiceAccount review tokens, which an admin does."""
    kube.api.create(f"{RBAC}/clusterrolebindings", {
        "metadata": {"name": f"{space}-{name}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:auth-delegator"},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": space}]})


def reviewed(kube, space):  # noqa: F811
    conditions = kube.status("cluster", space, "c").get("conditions", [])
    return next(((c["status"], c["message"]) for c in conditions if c["type"] == "TokensReviewed"), (None, ""))


def spec(folder, **kubernetes):
    return cluster_spec(folder / "w", access={"tokens": True, "kubernetes": kubernetes}, allowUnauthenticated=False,
                        serviceAccountName="reviewer")


def test_service_accounts_come_in_by_the_verbs_they_have_on_the_cluster(kube, space, tmp_path):  # noqa: F811
    from pyspark.sql import SparkSession

    account(kube, space, "reviewer")
    for name, verb in (("sees", "view"), ("asks", "query"), ("rules", "admin"), ("none", None)):
        account(kube, space, name, verb)
    kube.create("cluster", space, "c", spec(tmp_path, audiences=[AUDIENCE]))
    kube.wait_phase("cluster", space, "c", "Ready")
    doors = Doors(kube, space)
    sees, asks, rules, none = (token(kube, space, name, AUDIENCE) for name in ("sees", "asks", "rules", "none"))

    # Before an admin lets the scheduler ask, nobody comes in, and everybody is told why.
    status, message = kube.wait("the condition", lambda: (found := reviewed(kube, space))[0] and found, 40)
    assert status == "False" and "may not create tokenreviews" in message and "system:auth-delegator" in message
    assert any(name == "c" and reason == "ReviewsFail" for name, reason, _ in kube.events(space))
    assert (doors.rest(asks, "load"), doors.connect(asks)) == (503, "UNAVAILABLE")
    bind(kube, space, "reviewer")
    kube.wait("the condition to change", lambda: reviewed(kube, space) == ("True", ""), 40)

    # Where the verb is another, so is the role; without one there is none.
    job = {"sql": "SELECT 1"}
    assert [doors.rest(who, "load") for who in (sees, asks, rules, none)] == [200, 200, 200, 403]
    assert [doors.connect(who) for who in (sees, none)] == ["PERMISSION_DENIED"] * 2
    assert doors.rest(sees, "submissions/seen", "PUT", job) == 403
    assert doors.rest(asks, "submissions/asked", "PUT", job) == 200
    owner = kube.rest(space, "c", "submissions/asked", token=asks)["owner"]
    assert owner == f"kubernetes:system:serviceaccount:{space}:asks"
    assert doors.rest(asks, "executors/none/drain", "PUT") == 403 and doors.rest(rules, "executors/none/drain", "PUT") == 404
    session = SparkSession.builder.remote(f"sc://{doors.host}:15002/;authorization=Bearer%20{asks}").create()
    assert session.sql("SELECT 1").collect()[0][0] == 1
    session.stop()
    assert doors.flight(asks) == [1]
    with pytest.raises(Exception, match="(?i)permission|role"):
        doors.flight(none)

    # Tokens for somebody else, or that nobody made.
    wrong = [token(kube, space, "rules"), token(kube, space, "rules", "another"), asks[:-6] + "AAAAAA", "f" * 64, control_plane.ADMIN]
    assert [(doors.rest(who, "load"), doors.connect(who)) for who in wrong] == [(401, "UNAUTHENTICATED")] * len(wrong)

    # Who gets the verb later comes in, and a ServiceAccount that is gone does not, both before long.
    kube.api.create(f"{RBAC}/namespaces/{space}/rolebindings", {
        "metadata": {"name": "late"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "asks"},
        "subjects": [{"kind": "ServiceAccount", "name": "none", "namespace": space}]})
    kube.wait("the late one comes in", lambda: doors.rest(none, "load") == 200, 30)
    kube.api.delete(f"/api/v1/namespaces/{space}/serviceaccounts/asks")
    kube.wait("the deleted one does not", lambda: doors.rest(asks, "load") == 401, 80)
    assert doors.connect(asks) == "UNAUTHENTICATED" and doors.rest(rules, "load") == 200

    # No token is told: not by the scheduler's log, and not by objects.
    told = kube.kubelet.log(space, "c-scheduler") + str(kube.get("cluster", space, "c"))
    assert not any(secret in told for secret in (sees, asks, rules, none))


def test_without_an_audience_tokens_of_the_api_server_count_and_tokens_of_the_cluster_still_do(kube, space, tmp_path):  # noqa: F811
    account(kube, space, "reviewer")
    account(kube, space, "asks", "query")
    bind(kube, space, "reviewer")
    kube.create("cluster", space, "c", spec(tmp_path))
    kube.create("token", space, "ann", {"clusterRef": {"name": "c"}, "role": "user", "secretName": "ann-secret"})
    kube.wait_phase("cluster", space, "c", "Ready")
    doors = Doors(kube, space)
    ann = kube.wait("the Secret of ann", lambda: kube.secret(space, "ann-secret"), 20)
    kube.wait("ann comes in", lambda: doors.rest(ann, "load") == 200, 20)
    kube.wait("the scheduler may ask", lambda: reviewed(kube, space)[0] == "True", 40)
    # Not only ServiceAccounts: whom the API server knows, such as an admin of everything.
    callers = [token(kube, space, "asks"), control_plane.ADMIN, token(kube, space, "asks", AUDIENCE)]
    assert [doors.connect(who) for who in callers] == ["OK", "OK", "UNAUTHENTICATED"]
    kube.patch("cluster", space, "c", {"access": {"kubernetes": None}})
    kube.wait("nobody is reviewed", lambda: reviewed(kube, space)[0] is None, 30)

    def only_ann():
        try:
            return doors.rest(ann, "load") == 200 and doors.rest(callers[0], "load") == 401
        except OSError:
            return False

    kube.wait("a scheduler that knows ann only", only_ann, 60)
