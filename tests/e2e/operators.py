"""The operator under test on a real control plane, and words to speak to it."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import control_plane
import kube_proxy
import kubelet
import services

ROOT = pathlib.Path(__file__).parent.parent.parent
BINARY = pathlib.Path(os.environ.get("FIRESTEEL_OPERATOR_BIN", services.CACHE / "target" / "release" / "firesteel-operator"))
GROUP = "/apis/firesteel.dev/v1alpha1"
PLURALS = {"cluster": "firesteelclusters", "job": "firesteeljobs", "schedule": "firesteelschedules",
           "token": "firesteeltokens"}


def documents(text):
    """The documents of a YAML text that hold an object."""
    parts = re.split(r"^---.*$", text, flags=re.MULTILINE)
    return [part for part in parts if re.search(r"^kind:", part, re.MULTILINE)]


class Kubernetes:
    """A control plane with our definitions and rights, a kubelet, and an operator with no more rights than the chart gives it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        if not BINARY.exists():
            raise RuntimeError(f"no operator at {BINARY}; build it with ./test")
        self.plane = control_plane.ControlPlane(folder)
        self.api = self.plane.admin
        definitions = documents(subprocess.run([BINARY, "crd"], check=True, capture_output=True, text=True).stdout)
        for definition in definitions:
            self.api.apply(definition)
        self.plane.namespace("firesteel-system")
        for document in documents((ROOT / "deploy/manifests/operator.yaml").read_text()):
            if "kind: Deployment" not in document:
                self.api.apply(document)
        services.wait_until("the definitions", lambda: all(self._established(n) for n in PLURALS.values()), 30)
        python = {"programs": {"python3": sys.executable}, "env": {"PYTHONDONTWRITEBYTECODE": "1"}}
        self.kubelet = kubelet.Kubelet(self.api, {
            "firesteel:test": {"entrypoint": [str(services.BINARY)]},
            "firesteel:next": {"entrypoint": [str(services.BINARY)]}, "python:test": python}, folder)
        self.proxy = kube_proxy.KubeProxy(self.api)
        self.operator, self.starts = None, 0
        self.start_operator()

    def _established(self, plural):
        try:
            return self.api.get(f"{GROUP}/{plural}") is not None
        except control_plane.Refused:
            return False

    def start_operator(self, activator=kube_proxy.outside("127.0.0.1")):
        self.starts += 1
        self.health = services.free_port()
        config = self.plane.kubeconfig("operator", control_plane.OPERATOR)
        self.operator = services.Process(f"operator-{self.starts}", [
            BINARY, "run", "--poll-seconds", 1, "--health-bind", f"127.0.0.1:{self.health}", "--log",
            "info,firesteel_operator=debug", *(["--activator-address", activator] if activator else [])], self.folder, {"KUBECONFIG": str(config)})

    def kill_operator(self):
        self.operator.popen.send_signal(signal.SIGKILL)
        self.operator.popen.wait()

    def path(self, kind, namespace, name=""):
        return f"{GROUP}/namespaces/{namespace}/{PLURALS[kind]}" + (f"/{name}" if name else "")

    def create(self, kind, namespace, name, spec, **metadata):
        return self.api.create(self.path(kind, namespace), {
            "apiVersion": "firesteel.dev/v1alpha1", "kind": f"Firesteel{kind.title()}",
            "metadata": {"name": name, **metadata}, "spec": spec})

    def get(self, kind, namespace, name):
        return self.api.get(self.path(kind, namespace, name))

    def status(self, kind, namespace, name):
        return self.get(kind, namespace, name).get("status", {})

    def patch(self, kind, namespace, name, spec):
        return self.api.merge(self.path(kind, namespace, name), {"spec": spec})

    def pods(self, namespace, component=None):
        items = self.api.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
        return [p["metadata"]["name"] for p in items
                if component in (None, p["metadata"].get("labels", {}).get("firesteel.dev/component"))]

    def wait(self, what, check, seconds=60):
        deadline = time.time() + seconds
        while time.time() < deadline:
            try:
                found = check()
            except control_plane.Refused as refused:
                if refused.code != 404:
                    raise
                found = None
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"{what}: not within {seconds} s")

    def wait_phase(self, kind, namespace, name, *phases, seconds=60):
        def reached():
            status = self.status(kind, namespace, name)
            return status if status.get("phase") in phases else None

        try:
            return self.wait(f"{name} {phases}", reached, seconds)
        except AssertionError as late:
            said = self.operator.log.read_text(errors="replace").splitlines()[-20:]
            raise AssertionError("\n".join([f"{late}; it is {self.status(kind, namespace, name)}", "the operator said last:", *said,
                                            f"problems of the Services: {self.proxy.problems[-3:]}"])) from None

    def events(self, namespace):
        return [(e["regarding"].get("name"), e["reason"], e.get("note", ""))
                for e in self.api.get(f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")["items"]]

    def rest(self, namespace, cluster, path, method="GET", body=None, token=None):
        import json
        import urllib.request

        host = kubelet.address(namespace, f"{cluster}-scheduler")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        data = None if body is None else json.dumps(body).encode()
        headers.update({} if body is None else {"content-type": "application/json"})
        request = urllib.request.Request(f"http://{host}:8080/api/v1/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def metric(self, name):
        """A number the operator tells Prometheus."""
        import urllib.request

        with urllib.request.urlopen(f"http://127.0.0.1:{self.health}/metrics", timeout=5) as answer:
            lines = [line.split() for line in answer.read().decode().splitlines()]
        return next(float(line[1]) for line in lines if line[0] == name)

    def secret(self, namespace, name, key="token"):
        """What a Secret holds, `None` while there is none."""
        import base64

        found = self.api.maybe(f"/api/v1/namespaces/{namespace}/secrets/{name}")
        return base64.b64decode(found["data"][key]).decode() if found else None

    def stop(self):
        self.operator.stop()
        self.proxy.stop()
        self.kubelet.stop()
        self.plane.stop()


def cluster_spec(warehouse, **changes):
    """A small cluster that reacts quickly."""
    spec = {
        "image": "firesteel:test", "imagePullPolicy": "Never", "allowUnauthenticated": True, "warehouse": str(warehouse),
        "executorGroups": [{"name": "work", "min": 0, "max": 2, "taskSlots": 1}],
        "autoscaling": {"scaleDown": {"idleSeconds": 1, "stabilizationSeconds": 2}},
        "env": [{"name": "FIRESTEEL_MEMORY", "value": "512m"}],
    }
    return {**spec, **changes}


def job_spec(cluster, text, **changes):
    return {"clusterRef": {"name": cluster}, "sql": {"text": text}, **changes}
