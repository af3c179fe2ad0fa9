"""Jobs with a cluster of their own: made once, used once, gone at the end, whatever happens to the operator."""
import time

from operators import cluster_spec
from test_operator import slow, space  # noqa: F401: a fixture


def private(warehouse, text, **changes):
    groups = [{"name": "work", "min": 1, "max": 1, "taskSlots": 1}]
    template = {"spec": cluster_spec(warehouse, executorGroups=groups)}
    return {"clusterTemplate": template, "sql": {"text": text}, **changes}


def clusters(kube, space):
    return {c["metadata"]["name"]: c["metadata"] for c in kube.api.get(kube.path("cluster", space))["items"]}


def test_a_job_has_its_own_cluster_as_long_as_it_needs_one(kube, space, tmp_path):
    warehouse = tmp_path / "w"
    kube.create("job", space, "etl.1", private(warehouse, f"CREATE TABLE t AS SELECT 1 AS a; {slow(3)}"))
    running = kube.wait_phase("job", space, "etl.1", "Running", seconds=90)
    ((name, meta),) = clusters(kube, space).items()
    assert name == running["clusterName"] and name.startswith("etl-1-"), running
    assert meta["ownerReferences"][0]["kind"] == "FiresteelJob" and meta["labels"]["firesteel.dev/job"] == "etl.1"
    done = kube.wait_phase("job", space, "etl.1", "Succeeded", "Failed")
    assert (done["phase"], done["attempt"], done["completedStatements"]) == ("Succeeded", 1, 2), done
    kube.wait("the cluster is gone", lambda: not clusters(kube, space) and not kube.pods(space), 90)
    # The job is left, and so is what it wrote.
    assert kube.status("job", space, "etl.1")["phase"] == "Succeeded" and any(warehouse.rglob("*.parquet"))

    kube.create("job", space, "long", private(warehouse, slow(300)))
    first = kube.wait_phase("job", space, "long", "Running", seconds=90)
    kube.patch("job", space, "long", {"suspend": True})
    kube.wait_phase("job", space, "long", "Suspended")
    kube.wait("a suspended job has no pods", lambda: not kube.pods(space), 90)
    kube.patch("job", space, "long", {"suspend": False})
    second = kube.wait_phase("job", space, "long", "Running", seconds=90)
    assert second["submissionId"] != first["submissionId"] and second["clusterName"] == first["clusterName"]
    kube.api.delete(kube.path("job", space, "long"))
    kube.wait("with the job goes its cluster", lambda: not clusters(kube, space) and not kube.pods(space), 90)


def test_a_cluster_that_cannot_start_is_told_by_its_job(kube, space, tmp_path):
    spec = private(tmp_path / "w", "SELECT 1", timeouts={"queueSeconds": 8})
    spec["clusterTemplate"]["spec"]["image"] = "no-such-image"
    kube.create("job", space, "wrong", spec)
    kube.wait("the job says why it waits",
              lambda: "ErrImagePull" in kube.status("job", space, "wrong").get("message", ""), 20)
    failed = kube.wait_phase("job", space, "wrong", "Failed", seconds=30)
    assert failed["reason"] == "QueueTimeout" and "ErrImagePull" in failed["message"], failed
    kube.wait("its cluster is gone", lambda: not clusters(kube, space) and not kube.pods(space), 60)
    # So is one whose pods the API server does not take.
    spec = private(tmp_path / "w", "SELECT 1", timeouts={"queueSeconds": 8})
    spec["clusterTemplate"]["spec"]["scheduler"] = {"labels": {"a": "not a label!"}}
    kube.create("job", space, "refused", spec)
    failed = kube.wait_phase("job", space, "refused", "Failed", seconds=30)
    assert "not a label!" in failed["message"], failed


def test_an_operator_that_is_killed_at_every_step_makes_one_cluster_and_one_run(kube, space, tmp_path):
    """The operator dies again and again, from before the cluster is there until after it has gone."""
    seen, ids = set(), set()
    kube.create("job", space, "once", private(tmp_path / "w", f"CREATE TABLE t (a INT); {slow(6, 'INSERT INTO t VALUES (1);')}"))
    began = time.time()

    def look():
        seen.update(meta["uid"] for meta in clusters(kube, space).values())
        status = kube.status("job", space, "once")
        ids.update(filter(None, [status.get("submissionId")]))
        return status.get("phase")

    pause = 0.1
    while time.time() - began < 100 and not (look() in ("Succeeded", "Failed") and not clusters(kube, space)):
        kube.kill_operator()
        kube.start_operator()
        end = time.time() + pause
        while time.time() < end:
            look()
            time.sleep(0.05)
        pause = min(pause * 1.4, 2.5)
    done = kube.status("job", space, "once")
    assert (done["phase"], done["attempt"]) == ("Succeeded", 1), done
    assert len(seen) == 1 and len(ids) == 1, (seen, ids)
    kube.wait("nothing is left of the cluster", lambda: not clusters(kube, space) and not kube.pods(space), 60)
