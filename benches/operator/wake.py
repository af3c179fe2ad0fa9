"""How long a cluster that sleeps takes to answer, and where the time goes, on a real API server with processes for pods.

    FIRESTEEL_BIN=... FIRESTEEL_OPERATOR_BIN=... FIRESTEEL_CONTROL_PLANE=... python benches/operator/wake.py [RUNS]

A pod of Kubernetes also has to be scheduled, and its image pulled; neither is in these numbers.
"""
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent.parent / "tests" / "e2e"))
import pyspark.sql.connect.session  # noqa: E402, F401: what takes time is not to be PySpark's own begin
from operators import Kubernetes, cluster_spec, job_spec  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

SPACE = "bench"
STEPS = ["phase Waking", "scheduler's pod made", "scheduler's pod ready", "phase Ready", "executors' pods ready", "first result",
         "first result of executors"]


class Watch:
    """Seconds from a trigger until each step was first seen."""

    def __init__(self, kube):
        self.kube, self.seen, self.over, self.began = kube, {}, threading.Event(), time.time()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def mark(self, step):
        self.seen.setdefault(step, time.time() - self.began)

    def look(self):
        while not self.over.wait(0.02):
            phase = self.kube.status("cluster", SPACE, "c")["phase"]
            if phase in ("Waking", "Ready"):
                self.mark(f"phase {phase}")
            pods = self.kube.api.get(f"/api/v1/namespaces/{SPACE}/pods")["items"]
            for component, name in (("scheduler", "scheduler's pod"), ("executor", "executors' pods")):
                own = [pod for pod in pods if pod["metadata"].get("labels", {}).get("firesteel.dev/component") == component]
                if own and component == "scheduler":
                    self.mark(f"{name} made")
                ready = [any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", [])) for pod in own]
                if ready and all(ready):
                    self.mark(f"{name} ready")

    def end(self):
        self.kube.wait("all pods to be ready", lambda: "executors' pods ready" in self.seen)
        self.over.set()
        self.thread.join()
        return self.seen


def asleep(kube):
    kube.patch("cluster", SPACE, "c", {"hibernation": {"idleAfterSeconds": 5, "wakeOnConnection": True}})
    kube.wait_phase("cluster", SPACE, "c", "Hibernated")
    kube.patch("cluster", SPACE, "c", {"hibernation": {"idleAfterSeconds": 600, "wakeOnConnection": True}})
    kube.wait("pods to end", lambda: not kube.pods(SPACE))
    time.sleep(1)


def by_connection(kube, host, data):
    watch = Watch(kube)
    session = SparkSession.builder.remote(f"sc://{host}:15002").create()
    session.sql("SELECT 1").collect()
    watch.mark("first result")
    rows = session.read.parquet(data)
    rows.groupBy("k").count().collect()
    watch.mark("first result of executors")
    session.stop()
    return watch.end()


def by_job(kube, number):
    watch = Watch(kube)
    kube.create("job", SPACE, f"wakes-{number}", job_spec("c", "SELECT 1"))
    kube.wait_phase("job", SPACE, f"wakes-{number}", "Succeeded")
    watch.mark("first result")
    return watch.end()


def main(runs):
    with tempfile.TemporaryDirectory(prefix="firesteel-bench-", ignore_cleanup_errors=True) as folder:
        import pyarrow as pa
        import pyarrow.parquet as pq

        data = f"{folder}/data.parquet"
        pq.write_table(pa.table({"k": [n % 7 for n in range(1000)]}), data)
        kube = Kubernetes(folder)
        try:
            kube.plane.namespace(SPACE)
            kube.create("cluster", SPACE, "c", cluster_spec(
                pathlib.Path(folder) / "w", executorGroups=[{"name": "work", "min": 1, "max": 2, "taskSlots": 1}]))
            kube.wait_phase("cluster", SPACE, "c", "Ready")
            host = kube.proxy.serve(SPACE, "c")
            found = {"PySpark connects": [], "a job is applied": []}
            for number in range(runs):
                asleep(kube)
                found["PySpark connects"].append(by_connection(kube, host, data))
                asleep(kube)
                found["a job is applied"].append(by_job(kube, number))
            print(f"seconds from the trigger, least of {runs} runs\n\n{'':28} " + " ".join(f"{trigger:>18}" for trigger in found))
            for step in STEPS:
                least = [min((run[step] for run in each if step in run), default=None) for each in found.values()]
                print(f"{step:28} " + " ".join(f"{'-' if seconds is None else f'{seconds:.2f}':>18}" for seconds in least))
        finally:
            kube.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
