"""How fast jobs are taken: N jobs at once on a real API server, with their time, the operator's memory and its requests.

    FIRESTEEL_BIN=... FIRESTEEL_OPERATOR_BIN=... FIRESTEEL_CONTROL_PLANE=... python benches/operator/submissions.py [N]
"""
import concurrent.futures
import datetime
import pathlib
import re
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent.parent / "tests" / "e2e"))
import operators  # noqa: E402
from operators import cluster_spec, job_spec  # noqa: E402


def requests(kube):
    """Requests the API server has had about our kinds and events, by verb and resource."""
    request = urllib.request.Request(kube.api.base + "/metrics", headers={"Authorization": f"Bearer {kube.api.token}"})
    text = urllib.request.urlopen(request, context=kube.api._tls).read().decode()
    found = {}
    for labels, value in re.findall(r"^apiserver_request_total\{([^}]*)\} (\S+)", text, re.MULTILINE):
        label = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if label["resource"] in ("firesteeljobs", "firesteelclusters", "events", "pods") and label["verb"] != "WATCH":
            key = f"{label['verb']} {label['resource']}{'/' + label['subresource'] if label['subresource'] else ''}"
            found[key] = found.get(key, 0) + int(float(value))
    return found


def main(count):
    with tempfile.TemporaryDirectory(prefix="firesteel-bench-") as folder:
        kube = operators.Kubernetes(folder)
        try:
            kube.plane.namespace("bench")
            kube.create("cluster", "bench", "c", cluster_spec(pathlib.Path(folder) / "w"))
            kube.wait_phase("cluster", "bench", "c", "Ready")
            before, began = requests(kube), time.time()
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda n: kube.create("job", "bench", f"j{n}", job_spec("c", f"SELECT {n}")), range(count)))
            created = time.time() - began
            while True:
                jobs = kube.api.get(kube.path("job", "bench"))["items"]
                phases = [j.get("status", {}).get("phase") for j in jobs]
                if all(phase in ("Succeeded", "Failed") for phase in phases):
                    break
                time.sleep(0.5)
            took, after = time.time() - began, requests(kube)
            submitted = datetime.datetime.fromisoformat(max(j["status"]["submittedAt"] for j in jobs)).timestamp() - began
            print(f"{count} jobs: created in {created:.1f} s, the last submitted after {submitted:.0f} s ({count / submitted * 60:.0f} a minute), "
                  f"all done in {took:.1f} s ({count / took * 60:.0f} a minute); "
                  f"{phases.count('Succeeded')} succeeded, {sum(j['status']['attempt'] for j in jobs)} attempts")
            print(f"operator: {kube.operator.memory_mb(peak=True):.0f} MB at most, {kube.operator.cpu_seconds():.1f} s of CPU")
            for key in sorted(after):
                if after[key] > before.get(key, 0):
                    print(f"  {(after[key] - before.get(key, 0)) / count:.2f} a job: {key}")
        finally:
            kube.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
