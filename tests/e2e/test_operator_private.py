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
    kube.create("job", space, "long", private(warehouse, slow(300)))
    kube.create("job", space, "etl.1", private(warehouse, f"CREATE TABLE t AS SELECT 1 AS a; {slow(2)}"))
    running = kube.wait_phase("job", space, "etl.1", "Running", seconds=90)
    name = running["clusterName"]
    meta = clusters(kube, space)[name]
    assert name.startswith("etl-1-") and len(clusters(kube, space)) == 2, running
    assert meta["ownerReferences"][0]["kind"] == "FiresteelJob" and meta["labels"]["firesteel.dev/job"] == "etl.1"
    first = kube.wait_phase("job", space, "long", "Running", seconds=90)
    kube.patch("job", space, "long", {"suspend": True})
    done = kube.wait_phase("job", space, "etl.1", "Succeeded", "Failed")
    assert (done["phase"], done["attempt"], done["completedStatements"]) == ("Succeeded", 1, 2), done
    # The job is left, and so is what it wrote. Neither one that has ended nor one that is suspended has pods.
    kube.wait("the clusters are gone", lambda: not clusters(kube, space) and not kube.pods(space), 90)
    assert kube.status("job", space, "etl.1")["phase"] == "Succeeded" and any(warehouse.rglob("*.parquet"))
    assert kube.status("job", space, "long")["phase"] == "Suspended"
    kube.patch("job", space, "long", {"suspend": False})
    second = kube.wait_phase("job", space, "long", "Running", seconds=90)
    assert second["submissionId"] != first["submissionId"] and second["clusterName"] == first["clusterName"]
    kube.api.delete(kube.path("job", space, "long"))
    kube.wait("with the job goes its cluster", lambda: not clusters(kube, space) and not kube.pods(space), 90)


def test_a_cluster_that_cannot_start_is_told_by_its_job(kube, space, tmp_path):
    # What cannot be run, and what the API server does not take.
    wrong, refused = ({**private(tmp_path / "w", "SELECT 1"), "timeouts": {"queueSeconds": 5}} for _ in range(2))
    wrong["clusterTemplate"]["spec"]["image"] = "no-such-image"
    refused["clusterTemplate"]["spec"]["scheduler"] = {"labels": {"a": "not a label!"}}
    for name, spec, sentence in (("wrong", wrong, "ErrImagePull"), ("refused", refused, "not a label!")):
        kube.create("job", space, name, spec)
        kube.wait("the job says why it waits", lambda: sentence in kube.status("job", space, name).get("message", ""), 20)
    for name, sentence in (("wrong", "ErrImagePull"), ("refused", "not a label!")):
        failed = kube.wait_phase("job", space, name, "Failed", seconds=30)
        assert failed["reason"] == "QueueTimeout" and sentence in failed["message"], failed
    kube.wait("their clusters are gone", lambda: not clusters(kube, space) and not kube.pods(space), 60)


def test_a_cluster_that_may_not_be_made_is_told_by_its_job_and_made_when_it_may(kube, space, tmp_path):
    # No controller of quotas runs here, so what it would say is said.
    quotas, none = f"/api/v1/namespaces/{space}/resourcequotas", {"count/firesteelclusters.firesteel.dev": "0"}
    kube.api.create(quotas, {"metadata": {"name": "none"}, "spec": {"hard": none}})
    kube.api.merge(f"{quotas}/none/status", {"status": {"hard": none, "used": none}})
    kube.create("job", space, "later", private(tmp_path / "w", "SELECT 1"))
    kube.wait("the job says why it waits", lambda: "exceeded quota" in kube.status("job", space, "later").get("message", ""), 20)
    kube.api.delete(f"{quotas}/none")
    done = kube.wait_phase("job", space, "later", "Succeeded", "Failed")
    assert done["phase"] == "Succeeded" and done["attempt"] == 1, done


def test_an_operator_that_is_killed_at_every_step_makes_one_cluster_and_one_run(kube, space, tmp_path):
    """The operator dies again and again, from before the cluster is there until after it has gone."""
    seen, ids = set(), set()
    kube.create("job", space, "once", private(tmp_path / "w", f"CREATE TABLE t (a INT); {slow(4, 'INSERT INTO t VALUES (1);')}"))
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
