"""Executors whose group gets other resources: resized in place where that takes effect, replaced otherwise."""
from operators import cluster_spec
from test_operator import space  # noqa: F401: a fixture


def group(cpu, memory="1Gi", limit="300"):
    return [{"name": "work", "min": 1, "max": 1, "taskSlots": 1, "resources": {
        "requests": {"cpu": cpu, "memory": "256Mi"}, "limits": {"cpu": limit, "memory": memory}}}]


def executor(kube, space, cpu, memory="1Gi"):  # noqa: F811
    """The cluster's executor, when it has these resources."""
    pods = kube.api.get(f"/api/v1/namespaces/{space}/pods?labelSelector=firesteel.dev/component=executor")["items"]
    pod = next((pod for pod in pods if not pod["metadata"].get("deletionTimestamp")), None)
    if pod is None or kube.status("cluster", space, "c").get("readyReplicas") != 1:
        return None
    resources = pod["spec"]["containers"][0]["resources"]
    return pod if (resources["requests"]["cpu"], resources["limits"]["memory"]) == (cpu, memory) else None


def told(kube, space, reason, words):  # noqa: F811
    return any(r == reason and words in note for _, r, note in kube.events(space))


def other(kube, space, than, cpu, memory="1Gi"):  # noqa: F811
    pod = executor(kube, space, cpu, memory)
    return pod if pod and pod["metadata"]["uid"] != than["metadata"]["uid"] else None


def test_executors_get_other_resources_in_place_where_that_takes_effect(kube, space, tmp_path):  # noqa: F811
    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w", executorGroups=group("100m")))
    first = kube.wait("an executor", lambda: executor(kube, space, "100m"))
    kube.patch("cluster", space, "c", {"executorGroups": group("300m", limit="200")})
    kube.wait("it is resized", lambda: told(kube, space, "Resized", "c-work-0"))
    resized = executor(kube, space, "300m")
    assert resized["metadata"]["uid"] == first["metadata"]["uid"]
    before, after = first["metadata"]["annotations"], resized["metadata"]["annotations"]
    assert after["firesteel.dev/made-from"] != before["firesteel.dev/made-from"] and "firesteel.dev/resizing" not in after
    # Another limit of memory is another pool, which a process has from its begin.
    kube.patch("cluster", space, "c", {"executorGroups": group("300m", "2Gi", "200")})
    kube.wait("another executor", lambda: other(kube, space, resized, "300m", "2Gi"))
    assert not told(kube, space, "ResizeRefused", "")
    # What a node does not give is to be had elsewhere.
    larger = executor(kube, space, "300m", "2Gi")
    kube.patch("cluster", space, "c", {"executorGroups": group("70", "2Gi", "200")})
    kube.wait("it says so", lambda: told(kube, space, "ResizeRefused", "Infeasible"))
    kube.wait("another executor", lambda: other(kube, space, larger, "70", "2Gi"))


def test_what_the_api_server_refuses_is_replaced(kube, space, tmp_path):  # noqa: F811
    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w", executorGroups=group("100m")))
    first = kube.wait("an executor", lambda: executor(kube, space, "100m"))
    # The API server knows that the node does not have so much.
    kube.patch("cluster", space, "c", {"executorGroups": group("150")})
    kube.wait("it says so", lambda: told(kube, space, "ResizeRefused", "allocatable resources"))
    kube.wait("another executor", lambda: other(kube, space, first, "150"))
