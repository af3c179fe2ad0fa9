"""How fast jobs are taken: N jobs at once on a real API server, with their time, the operator's memory and requests, and where CPU went.

    FIRESTEEL_BIN=... FIRESTEEL_OPERATOR_BIN=... FIRESTEEL_CONTROL_PLANE=... python benches/operator/submissions.py [N]

Jobs are created over connections that stay open, and their end is read from the operator's metrics: lists of all jobs and handshakes
would be much of what is measured.
"""
import concurrent.futures
import datetime
import http.client
import json
import pathlib
import re
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent.parent / "tests" / "e2e"))
import operators  # noqa: E402
import services  # noqa: E402
from operators import cluster_spec, job_spec  # noqa: E402

CREATORS = 8


def requests(kube):
    """Requests the API server has had about our kinds, pods, secrets and events, by verb, resource and code when it is an error."""
    request = urllib.request.Request(kube.api.base + "/metrics", headers={"Authorization": f"Bearer {kube.api.token}"})
    text = urllib.request.urlopen(request, context=kube.api._tls).read().decode()
    found = {}
    for labels, value in re.findall(r"^apiserver_request_total\{([^}]*)\} (\S+)", text, re.MULTILINE):
        label = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if label["resource"] in ("firesteeljobs", "firesteelclusters", "events", "pods", "secrets") and label["verb"] != "WATCH":
            key = f"{label['verb']} {label['resource']}{'/' + label['subresource'] if label['subresource'] else ''}"
            key += f" ({label['code']})" if label["code"] >= "400" else ""
            found[key] = found.get(key, 0) + int(float(value))
    return found


def create(kube, count):
    """Creates the jobs; the seconds it took."""
    own, began = threading.local(), time.time()
    host, path = kube.api.base.removeprefix("https://"), kube.path("job", "bench")
    headers = {"Authorization": f"Bearer {kube.api.token}", "Content-Type": "application/json"}

    def one(number):
        if not hasattr(own, "connection"):
            own.connection = http.client.HTTPSConnection(host, context=kube.api._tls)
        body = {"apiVersion": "firesteel.dev/v1alpha1", "kind": "FiresteelJob", "metadata": {"name": f"j{number}"},
                "spec": job_spec("c", f"SELECT {number}")}
        own.connection.request("POST", path, json.dumps(body), headers)
        answer = own.connection.getresponse()
        answer.read()
        if answer.status != 201:
            raise RuntimeError(f"job {number}: {answer.status}")

    with concurrent.futures.ThreadPoolExecutor(CREATORS) as pool:
        list(pool.map(one, range(count)))
    return time.time() - began


def processes(kube):
    """Seconds of CPU, by process."""
    found = {process.name: process.cpu_seconds() for process in kube.plane.processes}
    found["operator"] = kube.operator.cpu_seconds()
    found["scheduler"] = sum(services.cpu_seconds(pod.process.pid) for pod in kube.kubelet.pods.values() if pod.process)
    found["this script, kubelet included"] = time.process_time()
    return found


def main(count):
    with tempfile.TemporaryDirectory(prefix="firesteel-bench-") as folder:
        kube = operators.Kubernetes(folder)
        try:
            kube.plane.namespace("bench")
            kube.create("cluster", "bench", "c", cluster_spec(pathlib.Path(folder) / "w"))
            kube.wait_phase("cluster", "bench", "c", "Ready")
            before, cpu, began = requests(kube), processes(kube), time.time()
            created = create(kube, count)
            ended = ("firesteel_operator_jobs_succeeded_total", "firesteel_operator_jobs_failed_total")
            while sum(kube.metric(name) for name in ended) < count:
                time.sleep(0.1)
            took, after = time.time() - began, requests(kube)
            spent = {name: seconds - cpu.get(name, 0) for name, seconds in processes(kube).items()}
            jobs = kube.api.get(kube.path("job", "bench"))["items"]
            phases = [job.get("status", {}).get("phase") for job in jobs]
            submitted = datetime.datetime.fromisoformat(max(j["status"]["submittedAt"] for j in jobs)).timestamp() - began
            print(f"{count} jobs: created in {created:.1f} s, the last submitted after {submitted:.0f} s ({count / submitted * 60:.0f} a minute), "
                  f"all done in {took:.1f} s ({count / took * 60:.0f} a minute); "
                  f"{phases.count('Succeeded')} succeeded, {sum(j['status']['attempt'] for j in jobs)} attempts")
            print(f"operator: {kube.operator.memory_mb(peak=True):.0f} MB at most")
            print("CPU: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in sorted(spent.items(), key=lambda pair: -pair[1])))
            for key in sorted(after):
                if after[key] > before.get(key, 0):
                    print(f"  {(after[key] - before.get(key, 0)) / count:.2f} a job: {key}")
        finally:
            kube.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
