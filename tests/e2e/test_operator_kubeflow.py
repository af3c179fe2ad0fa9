"""Applications of kubeflow's operator, run by ours: seen as Airflow's sensor and kubectl see them."""
import os
import time

import charts
import pytest

import operators
from control_plane import Refused
from test_operator import space  # noqa: F401: a fixture

DEPLOY = operators.ROOT / "deploy"
GROUP = "/apis/sparkoperator.k8s.io/v1beta2"
SQL = "org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver"


@pytest.fixture(scope="module")
def compat(kube, tmp_path_factory):
    """The operator as the chart with `compat` starts it, and with the rights that gives."""
    warehouse = tmp_path_factory.mktemp("compat") / "w"
    for definition in operators.documents((DEPLOY / "kubeflow/crds.yaml").read_text()):
        kube.api.apply(definition)

    def defined():
        try:
            return all(kube.api.get(f"{GROUP}/{plural}") for plural in ("sparkapplications", "scheduledsparkapplications"))
        except Refused:
            return False

    kube.wait("the definitions", defined, 30)
    rendered = charts.render(DEPLOY / "chart", "firesteel-system", {
        "compat": {"kubeflow": True, "image": "firesteel:test", "warehouse": str(warehouse)}})
    for document in operators.documents(rendered):
        if "kind: Deployment" not in document:
            kube.api.apply(document)
    env = {"FIRESTEEL_OPERATOR_COMPAT_KUBEFLOW": "true", "FIRESTEEL_OPERATOR_COMPAT_IMAGE": "firesteel:test",
           "FIRESTEEL_OPERATOR_COMPAT_WAREHOUSE": str(warehouse)}
    kube.kill_operator()
    os.environ.update(env)
    kube.start_operator()
    yield kube
    for name in env:
        del os.environ[name]
    kube.kill_operator()
    kube.start_operator()


@pytest.fixture(autouse=True)
def nothing_left(request, kube, space):  # noqa: F811
    yield
    for plural in ("scheduledsparkapplications", "sparkapplications"):
        try:
            kube.api.call("DELETE", f"{GROUP}/namespaces/{space}/{plural}")
        except Exception as gone:
            print(gone)


def app(kube, space, name, spec, plural="sparkapplications", kind="SparkApplication"):  # noqa: F811
    return kube.api.create(f"{GROUP}/namespaces/{space}/{plural}", {
        "apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": kind, "metadata": {"name": name}, "spec": spec})


def seen(kube, space, name, plural="sparkapplications"):  # noqa: F811
    return kube.api.maybe(f"{GROUP}/namespaces/{space}/{plural}/{name}")


def sensed(kube, space, name, seconds=100):  # noqa: F811
    """Waits as Airflow's sensor does: for the words of the end it knows, and no others. All words on the way are returned."""
    words, deadline = [], time.time() + seconds
    while time.time() < deadline:
        response = seen(kube, space, name)
        word = response.get("status", {}).get("applicationState", {}).get("state")
        if word is not None and word not in words:
            words.append(word)
        if word in ("COMPLETED", "FAILED", "UNKNOWN"):
            return words, response
        time.sleep(0.1)
    raise AssertionError(f"{name}: {words}, {seen(kube, space, name)}")


def python(path, **changes):
    sizes = {"cores": 1, "memory": "512m"}
    env = [{"name": "FIRESTEEL_MEMORY", "value": "512m"}]
    spec = {"type": "Python", "mode": "cluster", "sparkVersion": "4.0.1", "image": "python:test",
            "mainApplicationFile": f"local://{path}", "restartPolicy": {"type": "Never"},
            "driver": {**sizes, "env": env, "labels": {"dag_id": "d", "version": "4.0.1"}},
            "executor": {**sizes, "instances": 1, "env": env, "labels": {"version": "4.0.1"}}}
    return {**spec, **changes}


SCRIPT = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
assert spark.conf.get("spark.sql.session.timeZone") == "Asia/Tokyo", spark.conf.get("spark.sql.session.timeZone")
rows = spark.range(1000).count()
spark.createDataFrame([(rows,)], "n BIGINT").write.parquet(sys.argv[1])
print("counted", rows)
"""


def test_a_script_is_run_and_its_end_is_sensed(compat, space, tmp_path):  # noqa: F811
    kube, script = compat, tmp_path / "main.py"
    script.write_text(SCRIPT)
    # Airflow writes fields that kubeflow's definitions drop.
    app(kube, space, "report", python(script, arguments=[str(tmp_path / "out")], sparkConf={
        "spark.sql.session.timeZone": "Asia/Tokyo"}, labels={"dag_id": "d"}, successfulRunHistoryLimit=1))
    words, response = sensed(kube, space, "report")
    status = response["status"]
    assert words[-1] == "COMPLETED" and set(words) <= {"SUBMITTED", "RUNNING", "COMPLETED"}, (words, status)
    assert status["driverInfo"]["podName"] == "report-driver" and status["executionAttempts"] == 1, status
    assert status["lastSubmissionAttemptTime"] and status["terminationTime"] and status["submissionID"], status
    assert list((tmp_path / "out").glob("*.parquet"))
    pod = kube.api.get(f"/api/v1/namespaces/{space}/pods/report-driver")
    labels = pod["metadata"]["labels"]
    assert labels["spark-role"] == "driver" and labels["dag_id"] == "d"
    assert labels["sparkoperator.k8s.io/app-name"] == "report"
    assert pod["spec"]["containers"][0]["name"] == "spark-kubernetes-driver"
    assert "counted 1000" in kube.kubelet.log(space, "report-driver")
    job = kube.get("job", space, "report")
    assert job["metadata"]["ownerReferences"][0]["kind"] == "SparkApplication"
    kube.wait("its cluster is gone", lambda: kube.pods(space) == ["report-driver"], 90)


def test_an_edit_is_another_run_and_a_name_comes_back_though_the_old_run_is_killed(compat, space, tmp_path):  # noqa: F811
    kube, path = compat, f"{GROUP}/namespaces/{space}/sparkapplications/again"
    scripts = {name: tmp_path / f"{name}.py" for name in ("first", "second", "third")}
    for name, script in scripts.items():
        script.write_text(f"print('this is the {name}')")
    app(kube, space, "again", python(scripts["first"]))
    kube.wait("it is taken", lambda: kube.get("job", space, "again")["spec"]["python"]["file"] == str(scripts["first"]))
    kube.api.merge(path, {"spec": {"mainApplicationFile": f"local://{scripts['second']}"}})
    kube.wait("the other run", lambda: "this is the second" in kube.kubelet.log(space, "again-driver"), 60)
    # One of the same name waits until the old one has gone, as when Airflow tries a task again.
    kube.api.delete(path)
    app(kube, space, "again", python(scripts["third"]))
    assert sensed(kube, space, "again", 60)[0][-1] == "COMPLETED"
    log = kube.kubelet.log(space, "again-driver")
    assert log.count("this is the second") == 1 and log.count("this is the third") == 1
    kube.api.delete(path)
    kube.wait("nothing is left", lambda: not kube.pods(space) and kube.api.maybe(kube.path("job", space, "again")) is None, 60)


def test_sql_is_run_failures_are_counted_and_the_end_has_an_end(compat, space, tmp_path):  # noqa: F811
    kube, out = compat, tmp_path / "out"
    statement = f"INSERT OVERWRITE DIRECTORY '{out}' USING parquet SELECT 7 AS a"
    sql = {"type": "Java", "mainClass": SQL, "mainApplicationFile": "spark-internal", "arguments": ["-e", statement]}
    app(kube, space, "sql", {**python("/"), **sql, "timeToLiveSeconds": 3})
    bad = tmp_path / "bad.py"
    bad.write_text("raise SystemExit(3)")
    policy = {"type": "OnFailure", "onFailureRetries": 1, "onFailureRetryInterval": 1}
    app(kube, space, "fails", python(bad, restartPolicy=policy))
    words, response = sensed(kube, space, "sql")
    assert words[-1] == "COMPLETED", response["status"]
    assert response["status"]["driverInfo"]["podName"].endswith("-scheduler")
    assert list(out.glob("*.parquet"))
    kube.wait("it is deleted in time", lambda: seen(kube, space, "sql") is None, 30)
    words, response = sensed(kube, space, "fails")
    assert words[-1] == "FAILED" and ("fails", "SparkApplicationPendingRerun") in [(n, r) for n, r, _ in kube.events(space)], words
    assert response["status"]["executionAttempts"] == 2 and response["status"]["driverInfo"]["podName"] == "fails-driver-2"
    assert "exit code 3" in response["status"]["applicationState"]["errorMessage"]


def test_what_cannot_be_run_fails_at_once_and_says_which_field_and_why(compat, space):  # noqa: F811
    kube = compat
    for document in operators.documents((DEPLOY / "kubeflow/application.yaml").read_text()):
        assert kube.api.apply(document, dry_run=True)["kind"] == "SparkApplication"
    scala = {"type": "Scala", "mainClass": "org.apache.spark.examples.SparkPi",
             "mainApplicationFile": "local:///opt/spark/examples/jars/spark-examples.jar"}
    cases = {
        "scala": ({**python("/a.py"), **scala}, "spec.mainClass: not supported by Firesteel: there is no JVM"),
        "volcano": (python("/a.py", batchScheduler="volcano"), "spec.batchScheduler: not supported by Firesteel"),
        "client": (python("/a.py", mode="client"), "spec.mode: not supported by Firesteel: only cluster is"),
    }
    began = time.time()
    for name, (spec, _) in cases.items():
        app(kube, space, name, spec)
    for name, (_, sentence) in cases.items():
        words, response = sensed(kube, space, name, 20)
        state = response["status"]["applicationState"]
        assert words == ["FAILED"] and sentence in state["errorMessage"], (name, state)
        assert kube.api.maybe(kube.path("job", space, name)) is None
    assert time.time() - began < 20
    reasons = {(name, reason) for name, reason, _ in kube.events(space)}
    assert {(name, "SparkApplicationSubmissionFailed") for name in cases} <= reasons
    # What the API server itself refuses of a pod is told, too.
    app(kube, space, "label", python("/a.py", driver={"labels": {"a": "not a label!"}}))
    words, response = sensed(kube, space, "label", 60)
    assert words[-1] == "FAILED" and "not a label!" in response["status"]["applicationState"]["errorMessage"]


def test_an_application_is_run_once_though_the_operator_is_killed_at_every_step(compat, space, tmp_path):  # noqa: F811
    kube, script, trace = compat, tmp_path / "main.py", tmp_path / "trace"
    script.write_text(f"import time\nopen('{trace}', 'a').write('run\\n')\ntime.sleep(4)\n")
    app(kube, space, "once", python(script))
    began, pause = time.time(), 0.1

    def ended():
        state = seen(kube, space, "once").get("status", {}).get("applicationState", {}).get("state")
        return state in ("COMPLETED", "FAILED")

    while time.time() - began < 100 and not ended():
        kube.kill_operator()
        kube.start_operator()
        time.sleep(pause)
        pause = min(pause * 1.4, 2.5)
    words, response = sensed(kube, space, "once")
    assert words == ["COMPLETED"], response["status"]
    assert trace.read_text() == "run\n" and response["status"]["executionAttempts"] == 1
    kube.wait("its cluster is gone", lambda: kube.pods(space) == ["once-driver"], 90)


def test_a_scheduled_application_runs_by_the_clock_and_says_so(compat, space, tmp_path):  # noqa: F811
    kube, script = compat, tmp_path / "main.py"
    script.write_text("print('tick')")
    several = {"plural": "scheduledsparkapplications", "kind": "ScheduledSparkApplication"}
    app(kube, space, "often", {"schedule": "@yearly", "concurrencyPolicy": "Forbid", "template": python(script)}, **several)
    app(kube, space, "never", {"schedule": "@every 5m", "template": python(script)}, **several)

    def status(name="often"):
        return seen(kube, space, name, "scheduledsparkapplications").get("status", {})

    kube.wait("it is kept", lambda: status().get("scheduleState") == "Scheduled" and status().get("nextRun"), 20)
    kube.wait("the other is refused", lambda: status("never").get("scheduleState") == "FailedValidation", 20)
    assert "spec.schedule: '@every 5m'" in status("never")["reason"]
    # As if the turn of the year had been missed: it is made up for.
    years_ago = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 700 * 86400))
    kube.api.merge(kube.path("schedule", space, "often") + "/status", {"status": {"lastScheduleTime": years_ago}})
    name = kube.wait("a run", lambda: status().get("lastRunName"), 20)
    assert name.startswith("often-") and kube.get("job", space, name)["spec"]["clusterTemplate"]
    path = f"{GROUP}/namespaces/{space}/scheduledsparkapplications/often"
    kube.api.merge(path, {"spec": {"suspend": True}})
    kube.wait("it is held", lambda: kube.get("schedule", space, "often")["spec"]["suspend"] is True, 20)
    kube.wait("it succeeded", lambda: name in status().get("pastSuccessfulRunNames", []), 60)
