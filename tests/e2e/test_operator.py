"""The operator on a real Kubernetes control plane: clusters that grow, shrink and sleep, and jobs that run exactly once."""
import time

import pytest

from control_plane import Refused
from operators import cluster_spec, job_spec


@pytest.fixture
def space(kube, request):
    """A namespace of the test's own; what is left in it goes at the end."""
    name = request.node.name.replace("_", "-").lower()[5:60].strip("-")
    kube.plane.namespace(name)
    yield name
    for kind in ("schedule", "job", "token", "cluster"):
        kube.api.call("DELETE", kube.path(kind, name))
    # What is tested is over: nobody waits for processes to end well.
    kube.api.call("DELETE", f"/api/v1/namespaces/{name}/pods?gracePeriodSeconds=0")
    kube.wait("the namespace is empty", lambda: not kube.pods(name), 60)


BIG = "CREATE TABLE big AS SELECT id, id % 7 AS k FROM range(0, 300000, 1, 4)"
GROUPED = "CREATE TABLE sums AS SELECT k, sum(id) AS s FROM big GROUP BY k"


def slow(seconds, then=""):
    """SQL that takes about as long on any machine: it counts up in a loop until the time has passed."""
    return (f"BEGIN DECLARE till TIMESTAMP = current_timestamp() + INTERVAL {seconds} SECOND; DECLARE n BIGINT = 0; "
            f"WHILE current_timestamp() < till DO SET n = (SELECT sum(id) FROM range(200000)); END WHILE; {then} END")


def count(kube, space, cluster, table):
    """Rows of a table, by a job that fails when there are others."""
    from pyspark.sql import SparkSession

    import kubelet

    session = SparkSession.builder.remote(f"sc://{kubelet.address(space, cluster + '-scheduler')}:15002").create()
    try:
        return session.sql(f"SELECT count(*) FROM {table}").collect()[0][0]
    finally:
        session.stop()


def test_bad_specs_are_refused_by_a_sentence_that_names_the_field(kube, space):
    good, job = cluster_spec("/w"), job_spec("c", "SELECT 1")
    group = good["executorGroups"][0]
    schedule = {"schedule": "0 0 * * *", "template": {"spec": job}}
    token = {"clusterRef": {"name": "c"}, "role": "user", "secretName": "s"}
    bad = [
        ("cluster", {**good, "allowUnauthenticated": False}, "exactly one of spec.access.tokens and spec.allowUnauthenticated"),
        ("cluster", {**good, "access": {"tokens": True}}, "exactly one of spec.access.tokens and spec.allowUnauthenticated"),
        ("cluster", {**good, "warehouse": "spark-warehouse"}, "warehouse must be"),
        ("cluster", {**good, "executorGroups": [{**group, "min": 5}]}, "min must not be greater than max"),
        ("cluster", {**good, "executorGroups": [group, group]}, "executorGroups"),
        ("cluster", {**good, "executorGroups": [{"name": "a", "max": 1}]}, "taskSlots"),
        ("cluster", {**good, "executorGroups": [{**group, "name": "A_b"}]}, "executorGroups[0].name"),
        ("cluster", {**good, "executorGroups": []}, "executorGroups"),
        ("cluster", {**good, "replicas": 3}, "autoscaling.mode External"),
        ("cluster", {**good, "hibernation": {"idleAfterSeconds": 100}, "autoDelete": {"idleAfterSeconds": 50}},
         "autoDelete.idleAfterSeconds must be greater"),
        ("cluster", {**good, "hibernation": {"wakeOnConnection": True}}, "hibernation.wakeOnConnection is only used with"),
        ("cluster", {**good, "autoscaling": {"mode": "Magic"}}, "spec.autoscaling.mode"),
        ("cluster", {**good, "ingress": {"host": "Not A Host"}}, "spec.ingress.host"),
        ("cluster", {**good, "ingress": {"host": "h", "service": "SparkConnect", "path": "/a"}}, "ingress.path must be /"),
        ("job", {"clusterRef": {"name": "c"}}, "exactly one of spec.sql and spec.python"),
        ("job", {"sql": {"text": "SELECT 1"}}, "exactly one of spec.clusterRef and spec.clusterTemplate"),
        ("job", {**job, "clusterTemplate": {"spec": good}}, "exactly one of spec.clusterRef and spec.clusterTemplate"),
        ("job", {"sql": {"text": "SELECT 1"}, "clusterTemplate": {"spec": {**good, "warehouse": "w"}}}, "warehouse must be"),
        ("job", {**job, "python": {"image": "i", "file": "/a.py"}}, "exactly one of spec.sql and spec.python"),
        ("cluster", {**good, "scheduler": {"labels": {"firesteel.dev/cluster": "other"}}}, "labels must not hold firesteel.dev/ keys"),
        ("job", {"clusterRef": {"name": "c"}, "python": {"image": "i", "file": "/a.py"}, "conf": {"a": "b"}}, "spark.sql. keys only"),
        ("job", {**job, "sql": {"text": "SELECT 1", "uri": "s3a://b/k"}}, "exactly one of sql.text"),
        ("job", {**job, "sql": {"uri": "ftp://b/k"}}, "sql.uri must begin with"),
        ("job", {"clusterRef": {"name": "c"}, "python": {"image": "i"}}, "exactly one of python.file"),
        ("job", {**job, "restartPolicy": {"maxAttempts": 0}}, "spec.restartPolicy.maxAttempts"),
        ("job", {**job, "restartPolicy": {"backoffSeconds": 9, "backoffMaxSeconds": 8}}, "backoffMaxSeconds"),
        ("schedule", {**schedule, "schedule": "CRON_TZ=UTC 0 0 * * *"}, "must not hold a time zone"),
        ("schedule", {**schedule, "schedule": "0 0 0 * * *"}, "five fields"),
        ("schedule", {**schedule, "concurrencyPolicy": "Sometimes"}, "spec.concurrencyPolicy"),
        ("schedule", {**schedule, "template": {"spec": {"clusterRef": {"name": "c"}}}}, "spec.sql and spec.python"),
        ("token", {**token, "role": "root"}, "spec.role"),
        ("token", {**token, "secretName": "A"}, "spec.secretName"),
        ("token", {**token, "ttlSeconds": 0}, "spec.ttlSeconds"),
        ("token", {**token, "rotation": {"everySeconds": 60}}, "overlapSeconds must be less than"),
    ]
    for kind, spec, sentence in bad:
        with pytest.raises(Refused) as refused:
            kube.create(kind, space, "bad", spec)
        assert refused.value.code == 422 and sentence in refused.value.message, (sentence, refused.value.message)
    with pytest.raises(Refused, match="at most 40 characters"):
        kube.create("cluster", space, "c" * 41, good)
    kube.create("job", space, "fixed", {**job, "suspend": True})
    with pytest.raises(Refused, match="cannot be changed"):
        kube.patch("job", space, "fixed", {"sql": {"text": "SELECT 2"}})
    kube.patch("job", space, "fixed", {"ttlSecondsAfterFinished": 5})
    kube.create("job", space, "own", {"sql": {"text": "SELECT 1"}, "suspend": True, "clusterTemplate": {"spec": good}})
    for name, change in (("fixed", {"clusterRef": {"name": "other"}}), ("own", {"clusterTemplate": {"spec": {"image": "x"}}}),
                         ("own", {"clusterTemplate": None, "clusterRef": {"name": "c"}})):
        with pytest.raises(Refused, match="spec.clusterRef and spec.clusterTemplate cannot be changed"):
            kube.patch("job", space, name, change)
    # What a schedule makes jobs from may change.
    kube.create("schedule", space, "free", {**schedule, "suspend": True})
    kube.patch("schedule", space, "free", {"template": {"spec": {"sql": {"text": "SELECT 2"}, "clusterRef": {"name": "other"}}}})
    kube.create("token", space, "fixed", token)
    for change in ({"secretName": "other"}, {"clusterRef": {"name": "other"}}):
        with pytest.raises(Refused, match="make another token"):
            kube.patch("token", space, "fixed", change)


def test_a_job_brings_executors_from_nothing_and_they_go_again(kube, space, tmp_path):
    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w"))
    kube.create("job", space, "etl", job_spec("c", f"{BIG}; {GROUPED}; SELECT * FROM sums"))
    done = kube.wait_phase("job", space, "etl", "Succeeded", "Failed", seconds=90)
    assert done["phase"] == "Succeeded", done
    assert (done["statements"], done["completedStatements"], done["rows"], done["attempt"]) == (3, 3, 7, 1)
    status = kube.status("cluster", space, "c")
    assert status["phase"] == "Ready" and status["version"], status
    kube.wait("the executors are gone", lambda: not kube.pods(space, "executor"), 60)
    reasons = [reason for _, reason, _ in kube.events(space)]
    assert "Scaling" in reasons and "Succeeded" in reasons and "Ready" in reasons
    assert kube.pods(space) == ["c-scheduler"]
    assert count(kube, space, "c", "sums") == 7


def test_a_cluster_that_works_is_protected_from_evictions_and_one_that_rests_is_not(kube, space, tmp_path):
    def budgets():
        items = kube.api.get(f"/apis/policy/v1/namespaces/{space}/poddisruptionbudgets")["items"]
        return {item["metadata"]["name"]: item for item in items}

    def evict(pod):
        kube.api.create(f"/api/v1/namespaces/{space}/pods/{pod}/eviction", {
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": space}})

    def stays(name):
        return budgets()[name]["spec"]["minAvailable"] if name in budgets() else None

    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w"))
    kube.wait_phase("cluster", space, "c", "Ready")
    kube.wait("a budget for a cluster that rests", lambda: stays("c-scheduler") == 0)
    assert budgets()["c-executor"]["metadata"]["ownerReferences"][0]["kind"] == "FiresteelCluster"
    kube.create("job", space, "long", job_spec("c", slow(8)))
    kube.wait("a budget for one that works", lambda: stays("c-scheduler") == 1, 30)
    kube.wait("Kubernetes knows it", lambda: budgets()["c-scheduler"]["status"].get("observedGeneration") ==
              budgets()["c-scheduler"]["metadata"]["generation"], 30)
    with pytest.raises(Refused) as refused:
        evict("c-scheduler")
    assert refused.value.code == 429 and "disruption budget" in refused.value.message, refused.value.message
    kube.wait_phase("job", space, "long", "Succeeded")
    kube.wait("nothing to protect", lambda: stays("c-scheduler") == 0, 30)


def test_an_idle_cluster_sleeps_and_wakes_by_job_by_hand_and_by_annotation(kube, space, tmp_path):
    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w", hibernation={"idleAfterSeconds": 5}))
    kube.wait_phase("cluster", space, "c", "Ready")
    kube.wait_phase("cluster", space, "c", "Hibernated")
    assert kube.pods(space) == []
    began = time.time()
    kube.create("job", space, "wakes", job_spec("c", "SELECT 1"))
    kube.wait_phase("job", space, "wakes", "Succeeded")
    print(f"from hibernation to a result: {time.time() - began:.1f} s")
    kube.wait_phase("cluster", space, "c", "Hibernated")
    kube.api.merge(kube.path("cluster", space, "c"), {"metadata": {"annotations": {"firesteel.dev/wake": "now"}}})
    kube.wait_phase("cluster", space, "c", "Ready")
    kube.patch("cluster", space, "c", {"hibernation": {"suspend": True}})
    kube.wait_phase("cluster", space, "c", "Hibernated")
    kube.create("job", space, "waits", job_spec("c", "SELECT 1"))
    kube.wait("the job says why it waits",
              lambda: kube.status("job", space, "waits").get("reason") == "ClusterAsleep")
    assert kube.pods(space) == []
    kube.patch("cluster", space, "c", {"hibernation": {"suspend": False}})
    kube.wait_phase("job", space, "waits", "Succeeded")


def test_a_job_runs_once_though_the_operator_is_killed_at_every_step(kube, space, tmp_path):
    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w"))
    kube.create("job", space, "table", job_spec("c", "CREATE TABLE t (a INT)"))
    kube.wait_phase("job", space, "table", "Succeeded")
    for number in range(8):
        kube.create("job", space, f"one-{number}", job_spec("c", slow(2, f"INSERT INTO t VALUES ({number});")))
        time.sleep(0.05 + 0.3 * number)
        kube.kill_operator()
        kube.start_operator()
    for number in range(8):
        done = kube.wait_phase("job", space, f"one-{number}", "Succeeded", "Failed")
        assert (done["phase"], done["attempt"]) == ("Succeeded", 1), done
    assert count(kube, space, "c", "t") == 8
    assert len([s for s in kube.rest(space, "c", "submissions")]) == 9


def test_a_lost_scheduler_is_no_failure_of_the_job(kube, space, tmp_path):
    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w"))
    policy = {"type": "OnInfrastructureFailure", "backoffSeconds": 1}
    kube.create("job", space, "long", job_spec("c", slow(6), restartPolicy=policy))
    kube.wait_phase("job", space, "long", "Running")
    kube.kubelet.kill(space, "c-scheduler")
    done = kube.wait_phase("job", space, "long", "Succeeded", "Failed")
    assert (done["phase"], done["attempt"], done["infrastructureFailures"]) == ("Succeeded", 2, 1), done
    assert done["attempts"][0]["reason"] == "SchedulerRestarted"
    kube.create("job", space, "wrong", job_spec("c", "SELECT nothing_here"))
    failed = kube.wait_phase("job", space, "wrong", "Failed")
    assert failed["reason"].startswith("UNRESOLVED_COLUMN") and "nothing_here" in failed["message"], failed
    assert {c["type"]: c["status"] for c in failed["conditions"]}["Failed"] == "True"


def test_a_job_is_stopped_by_suspension_time_and_deletion(kube, space, tmp_path):
    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w"))
    kube.create("job", space, "held", job_spec("c", slow(60)))
    first = kube.wait_phase("job", space, "held", "Running")
    kube.patch("job", space, "held", {"suspend": True})
    kube.wait_phase("job", space, "held", "Suspended")
    assert kube.rest(space, "c", f"submissions/{first['submissionId']}")["state"] == "cancelled"
    kube.patch("job", space, "held", {"suspend": False})
    second = kube.wait_phase("job", space, "held", "Running")
    assert second["submissionId"] != first["submissionId"]
    kube.api.delete(kube.path("job", space, "held"))
    kube.wait("the job is gone", lambda: kube.api.maybe(kube.path("job", space, "held")) is None)
    kube.wait("its run is stopped",
              lambda: kube.rest(space, "c", f"submissions/{second['submissionId']}")["state"] == "cancelled")
    kube.create("job", space, "late", job_spec("c", slow(60), timeouts={"activeSeconds": 2}, ttlSecondsAfterFinished=2))
    assert kube.wait_phase("job", space, "late", "Failed")["reason"] == "Timeout"
    kube.wait("it is deleted in time", lambda: kube.api.maybe(kube.path("job", space, "late")) is None)


def test_sql_comes_as_text_from_a_map_or_from_an_object_and_takes_parameters(kube, space, tmp_path):
    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w"))
    kube.create("job", space, "table", job_spec("c", "CREATE TABLE said (what STRING)"))
    kube.wait_phase("job", space, "table", "Succeeded")
    file = tmp_path / "job.sql"
    file.write_text("INSERT INTO said SELECT 'from a file'; INSERT INTO said SELECT :more")
    kube.create("job", space, "file", {"clusterRef": {"name": "c"}, "sql": {
        "uri": file.as_uri(), "parameters": {"more": "it's :more \\ more"}}})
    mapped = {"clusterRef": {"name": "c"}, "sql": {"configMapKeyRef": {"name": "sql", "key": "job.sql"}}}
    kube.create("job", space, "map", mapped)
    kube.wait("it says what is missing", lambda: kube.status("job", space, "map").get("reason") == "ConfigMapMissing")
    kube.api.create(f"/api/v1/namespaces/{space}/configmaps", {
        "metadata": {"name": "sql"}, "data": {"job.sql": "INSERT INTO said SELECT 'from a map'"}})
    for name in ("file", "map"):
        done = kube.wait_phase("job", space, name, "Succeeded", "Failed")
        assert done["phase"] == "Succeeded", done
    check = "SELECT raise_error('no') FROM (SELECT count(*) AS n FROM said WHERE what = :what) WHERE n <> 1"
    kube.create("job", space, "check", {"clusterRef": {"name": "c"}, "sql": {
        "text": check, "parameters": {"what": "it's :more \\ more"}}})
    assert kube.wait_phase("job", space, "check", "Succeeded", "Failed")["phase"] == "Succeeded"
    assert count(kube, space, "c", "said") == 3
    kube.create("job", space, "unbound", {"clusterRef": {"name": "c"}, "sql": {"text": "SELECT :a", "parameters": {"b": ""}}})
    assert kube.wait_phase("job", space, "unbound", "Failed")["reason"] == "UNBOUND_SQL_PARAMETER"


def test_a_schedule_makes_its_job_once_and_keeps_little(kube, space, tmp_path):
    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w"))
    kube.wait_phase("cluster", space, "c", "Ready")
    template = {"spec": job_spec("c", "SELECT 1")}
    kube.create("schedule", space, "s", {"schedule": "* * * * *", "template": template, "successfulJobsHistoryLimit": 1})

    def jobs():
        return {j["metadata"]["name"]: j.get("status", {}).get("phase") for j in
                kube.api.get(kube.path("job", space))["items"]}

    kube.wait("a job of this minute", lambda: "Succeeded" in jobs().values(), 80)
    (name,) = jobs()
    minute = int(name.rsplit("-", 1)[1])
    assert abs(minute * 60 - time.time()) < 130
    # As if the operator had been away for three minutes: one job makes up for them, of the same minute as before.
    last = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((minute - 3) * 60))
    kube.api.merge(kube.path("schedule", space, "s") + "/status", {"status": {"lastScheduleTime": last}})
    status = kube.wait("it is made up for", lambda: (s := kube.status("schedule", space, "s"))["missedRuns"] >= 2 and s)
    assert status["lastScheduleTime"] > last and len(jobs()) <= 2
    kube.create("schedule", space, "bad", {"schedule": "99 * * * *", "template": template})
    kube.wait("it says what is wrong", lambda: any(
        c["type"] == "ScheduleValid" and c["status"] == "False" and "99 * * * *" in c["message"]
        for c in kube.status("schedule", space, "bad").get("conditions", [])))


SCRIPT = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
rows = spark.range(int(sys.argv[1])).count()
spark.createDataFrame([(rows,)], "n BIGINT").write.mode("overwrite").saveAsTable("counted")
print("counted", rows)
"""


def test_a_script_runs_in_a_driver_pod_and_evictions_are_made_up_for(kube, space, tmp_path):
    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w"))
    data = {"main.py": SCRIPT, "bad.py": "raise SystemExit(3)", "sleep.py":
            "import os, time\nif os.environ['FIRESTEEL_ATTEMPT'] == '1':\n    time.sleep(600)\nprint('second')"}
    kube.api.create(f"/api/v1/namespaces/{space}/configmaps", {"metadata": {"name": "scripts"}, "data": data})

    def script(key, **changes):
        return {"clusterRef": {"name": "c"}, "restartPolicy": {"backoffSeconds": 1}, **changes, "python": {
            "image": "python:test", "configMapKeyRef": {"name": "scripts", "key": key}, "args": ["1000"]}}

    kube.create("job", space, "count", script("main.py"))
    done = kube.wait_phase("job", space, "count", "Succeeded", "Failed", seconds=90)
    assert done["phase"] == "Succeeded" and done["driverPod"] == "count-driver", done
    assert "counted 1000" in kube.kubelet.log(space, "count-driver")
    assert count(kube, space, "c", "counted") == 1
    kube.create("job", space, "fails", script("bad.py", restartPolicy={
        "type": "OnFailure", "maxAttempts": 2, "backoffSeconds": 1}))
    kube.create("job", space, "evicted", script("sleep.py"))
    kube.wait_phase("job", space, "evicted", "Running")
    kube.kubelet.evict(space, "evicted-driver")
    again = kube.wait_phase("job", space, "evicted", "Succeeded", "Failed")
    assert (again["phase"], again["failures"], again["infrastructureFailures"]) == ("Succeeded", 0, 1), again
    failed = kube.wait_phase("job", space, "fails", "Failed")
    assert (failed["attempt"], failed["failures"]) == (2, 2) and "exit code 3" in failed["message"], failed


def test_another_autoscaler_may_say_how_many_and_an_upgrade_replaces_all(kube, space, tmp_path):
    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w", autoscaling={"mode": "External"}, replicas=0))
    kube.wait_phase("cluster", space, "c", "Ready")
    scale = kube.path("cluster", space, "c") + "/scale"
    kube.api.merge(scale, {"spec": {"replicas": 2}})
    kube.wait("two executors", lambda: kube.status("cluster", space, "c").get("readyReplicas") == 2)
    seen = kube.api.get(scale)
    assert seen["status"]["replicas"] == 2 and "firesteel.dev/cluster=c" in seen["status"]["selector"]
    kube.api.merge(scale, {"spec": {"replicas": 1}})
    kube.wait("one executor", lambda: len(kube.pods(space, "executor")) == 1)
    kube.patch("cluster", space, "c", {"image": "firesteel:next"})

    def images():
        items = kube.api.get(f"/api/v1/namespaces/{space}/pods")["items"]
        return [p["spec"]["containers"][0]["image"] for p in items]

    kube.wait("all pods are of the next image", lambda: images() == ["firesteel:next"] * 2)
    kube.wait("ready again", lambda: kube.status("cluster", space, "c").get("readyReplicas") == 1)
    kube.patch("cluster", space, "c", {"image": "no-such-image"})
    status = kube.wait_phase("cluster", space, "c", "Degraded")
    ready = next(c for c in status["conditions"] if c["type"] == "Ready")
    assert "ErrImagePull" in ready["message"] or kube.wait("the reason", lambda: any(
        "ErrImagePull" in c["message"] for c in kube.status("cluster", space, "c")["conditions"]))


def test_a_cluster_with_tokens_lets_in_who_has_one_and_the_operator(kube, space, tmp_path):
    import urllib.error

    import grpc
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.proto import base_pb2, base_pb2_grpc

    import kubelet

    host = kubelet.address(space, "c-scheduler")

    def code(token, *arguments):
        try:
            kube.rest(space, "c", *arguments, token=token)
            return 200
        except urllib.error.HTTPError as error:
            return error.code

    def connect(token):
        """How Spark Connect answers at once; PySpark itself would try again for long."""
        request = base_pb2.AnalyzePlanRequest(session_id="4d9cd0d6-9ae1-4a75-9b2b-1d6c0f0d4c11",
                                              spark_version=base_pb2.AnalyzePlanRequest.SparkVersion())
        with grpc.insecure_channel(f"{host}:15002") as channel:
            try:
                base_pb2_grpc.SparkConnectServiceStub(channel).AnalyzePlan(
                    request, timeout=10, metadata=[("authorization", f"Bearer {token}")] if token else [])
                return "OK"
            except grpc.RpcError as error:
                return error.code().name

    def token(name, role, **changes):
        kube.create("token", space, name, {
            "clusterRef": {"name": "c"}, "role": role, "secretName": f"{name}-secret", **changes})
        return kube.wait(f"the Secret of {name}", lambda: kube.secret(space, f"{name}-secret"), 20)

    early = token("ann", "user")
    assert kube.wait_phase("token", space, "ann", "Pending")["conditions"][0]["reason"] == "ClusterMissing"
    spec = cluster_spec(tmp_path / "w", access={"tokens": True}, allowUnauthenticated=False)
    kube.create("cluster", space, "c", spec)
    kube.wait_phase("cluster", space, "c", "Ready")
    kube.wait_phase("token", space, "ann", "Active")
    ann, see = early, token("see", "viewer")
    assert len(ann) == 64 and ann != see
    job = {"sql": "SELECT 1"}
    assert [code(None, "load"), code("f" * 64, "load"), connect(None), connect("f" * 64)] == [401, 401] + ["UNAUTHENTICATED"] * 2
    assert code(ann, "load") == 200
    kube.wait("the second token", lambda: code(see, "load") == 200, 20)
    assert code(see, "submissions/seen", "PUT", job) == 403 and connect(see) == "PERMISSION_DENIED"
    assert code(ann, "submissions/anns", "PUT", job) == 200
    assert kube.rest(space, "c", "submissions/anns", token=ann)["owner"] == "ann"
    session = SparkSession.builder.remote(f"sc://{host}:15002/;authorization=Bearer%20{ann}").create()
    assert session.sql("SELECT 1").collect()[0][0] == 1
    session.stop()

    # The operator comes in by a token of its own, also when it is another process: it submits, sees the load and drains.
    kube.kill_operator()
    kube.start_operator()
    kube.create("job", space, "etl", job_spec("c", f"{BIG}; {GROUPED}"))
    assert kube.wait_phase("job", space, "etl", "Succeeded", "Failed", seconds=90)["phase"] == "Succeeded"
    kube.api.create(f"/api/v1/namespaces/{space}/configmaps", {"metadata": {"name": "scripts"}, "data": {"main.py": SCRIPT}})
    kube.create("job", space, "script", {"clusterRef": {"name": "c"}, "python": {
        "image": "python:test", "configMapKeyRef": {"name": "scripts", "key": "main.py"}, "args": ["1000"]}})
    done = kube.wait_phase("job", space, "script", "Succeeded", "Failed", seconds=90)
    assert done["phase"] == "Succeeded", (done, kube.kubelet.log(space, "script-driver"))
    kube.wait("the executors are gone", lambda: not kube.pods(space, "executor"), 60)

    # Only hashes are known beside the Secrets of the tokens themselves.
    told = str(kube.get("token", space, "ann")) + kube.secret(space, "c-tokens", "tokens") + kube.kubelet.log(space, "c-scheduler")
    assert ann not in told and kube.status("token", space, "ann")["current"]["sha256"] in told
    assert [line.split()[:2] for line in kube.secret(space, "c-tokens", "tokens").splitlines()] == [
        ["ann", "user"], ["see", "viewer"], ["system:driver", "user"], ["system:operator", "admin"]]

    began = time.time()
    kube.api.delete(kube.path("token", space, "ann"))
    kube.wait("the deleted token is worth nothing", lambda: code(ann, "load") == 401, 15)
    print(f"from the deletion of a token to its refusal: {time.time() - began:.1f} s")
    assert connect(ann) == "UNAUTHENTICATED" and code(see, "load") == 200

    old = token("turns", "user", rotation={"everySeconds": 10, "overlapSeconds": 8})
    kube.wait("the token to turn", lambda: code(old, "load") == 200, 20)
    new = kube.wait("another token", lambda: (now := kube.secret(space, "turns-secret")) != old and now, 20)
    kube.wait("the new one lets in", lambda: code(new, "load") == 200, 8)
    kube.wait("the old one does not", lambda: code(old, "load") == 401, 20)
    kube.api.create(f"/api/v1/namespaces/{space}/secrets", {"metadata": {"name": "theirs"}, "data": {"token": ""}})
    kube.create("token", space, "taken", {"clusterRef": {"name": "c"}, "role": "user", "secretName": "theirs"})
    assert kube.wait_phase("token", space, "taken", "Blocked")["conditions"][0]["reason"] == "SecretTaken"
    assert kube.secret(space, "theirs") == ""

    # The operator still comes in by its token until there is another scheduler, which asks nobody.
    kube.patch("cluster", space, "c", {"access": {"tokens": False}, "allowUnauthenticated": True})
    kube.wait_phase("token", space, "see", "Pending")

    def opened():
        try:
            return code(None, "load") == 200
        except OSError:
            return False

    kube.wait("a scheduler that asks nobody", opened)
    # The garbage collector learns of new kinds each half a minute.
    kube.wait("the Secret of the deleted token is gone", lambda: kube.secret(space, "ann-secret") is None, 60)
