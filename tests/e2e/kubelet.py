"""A kubelet that runs the pods of a control plane as processes of this machine.

What is real: binding, environment (downward API, ConfigMaps, Secrets), volumes as folders (tokens of ServiceAccounts included), readiness, exit codes, restarts,
grace at deletion, eviction, what is said of resizes. What is not: containers, their resources, networks and images. A pod's address is its own in 127.0.0.0/8; an
image is a name for programs of this machine; service names and mount paths are put in where arguments hold them.
"""
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from datetime import datetime, timezone

from control_plane import Refused

NODE = "process"
# What the API server believes the node to have, and the CPU that the node then gives to a pod that is resized.
ALLOCATABLE, RESIZE_CORES = {"cpu": "128", "memory": "1Ti", "pods": "1000"}, 64
SERVICE = re.compile(r"\b([a-z0-9-]+)\.([a-z0-9-]+)\.svc\b")


class Later(Exception):
    """The container cannot start yet."""


def stamp():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def address(namespace, name):
    digest = hashlib.sha256(f"{namespace}/{name}".encode()).digest()
    return f"127.{1 + digest[0] % 250}.{digest[1]}.{1 + digest[2] % 250}"


def cores(resources):
    """CPU that is requested."""
    text = resources.get("requests", {}).get("cpu", "0")
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


class Pod:
    """One pod's process."""

    def __init__(self, uid, folder):
        self.uid, self.folder, self.process, self.started = uid, folder, None, None
        self.restarts, self.ready, self.evicted, self.asked, self.told = 0, False, None, None, None
        self.annotations, self.generation, self.resources = None, None, None


class Kubelet:
    """Runs until stopped. `images` maps an image to `{"entrypoint": [...], "programs": {name: path}}`."""

    def __init__(self, api, images, folder):
        self.api, self.images, self.folder = api, images, pathlib.Path(folder) / "pods"
        self.pods, self._stop = {}, threading.Event()
        self.started, self.lock = 0, threading.RLock()
        self.problems = []
        try:
            api.create("/api/v1/nodes", {"metadata": {"name": NODE}})
            api.merge(f"/api/v1/nodes/{NODE}/status", {"status": {"capacity": ALLOCATABLE, "allocatable": ALLOCATABLE}})
        except Refused as refused:
            if refused.code != 409:
                raise
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join(10)
        for pod in self.pods.values():
            self._signal(pod, signal.SIGKILL)

    def log(self, namespace, name):
        return "\n".join(p.read_text(errors="replace") for p in sorted(self.folder.glob(f"{namespace}_{name}_*.log")))

    def kill(self, namespace, name):
        """Kills a pod's process at once, as a crash would."""
        self._signal(self._find(namespace, name), signal.SIGKILL)

    def evict(self, namespace, name):
        """Ends a pod as a node under pressure does."""
        pod = self._find(namespace, name)
        pod.evicted = "Evicted"
        self._signal(pod, signal.SIGKILL)

    def _find(self, namespace, name):
        uid = self.api.get(f"/api/v1/namespaces/{namespace}/pods/{name}")["metadata"]["uid"]
        with self.lock:
            return self.pods[uid]

    @staticmethod
    def _signal(pod, number):
        if pod.process and pod.process.poll() is None:
            try:
                os.killpg(pod.process.pid, number)
            except ProcessLookupError:
                pass

    def _run(self):
        while not self._stop.wait(0.1):
            try:
                with self.lock:
                    self._look()
            except (Refused, OSError) as problem:
                self.problems.append(str(problem))

    def _look(self):
        seen = {}
        for item in self.api.get("/api/v1/pods")["items"]:
            seen[item["metadata"]["uid"]] = item
        for uid in [uid for uid in self.pods if uid not in seen]:
            self._signal(self.pods.pop(uid), signal.SIGKILL)
        for uid, item in seen.items():
            try:
                self._tend(uid, item)
            except Refused as refused:
                if refused.code not in (404, 409):
                    raise

    def _tend(self, uid, item):
        meta, spec = item["metadata"], item["spec"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        going = meta.get("deletionTimestamp")
        pod = self.pods.get(uid)
        if not spec.get("nodeName"):
            if not going:
                self.api.create(f"{path}/binding", {
                    "apiVersion": "v1", "kind": "Binding", "metadata": {"name": meta["name"]},
                    "target": {"apiVersion": "v1", "kind": "Node", "name": NODE}})
            return
        if pod is None:
            if item["status"].get("phase") in ("Succeeded", "Failed"):
                if going:
                    self.api.delete(path, gracePeriodSeconds=0)
                return
            pod = self.pods[uid] = Pod(uid, self.folder / uid)
        if going:
            running = pod.process and pod.process.poll() is None
            if running and pod.asked is None:
                pod.asked = time.time()
                self._signal(pod, signal.SIGTERM)
            elif running and time.time() - pod.asked > meta.get("deletionGracePeriodSeconds", 30):
                self._signal(pod, signal.SIGKILL)
            if not running:
                self.api.delete(path, gracePeriodSeconds=0)
                self.pods.pop(uid, None)
                shutil.rmtree(pod.folder, ignore_errors=True)
            return
        if item["status"].get("phase") in ("Succeeded", "Failed"):
            return
        if pod.process is None:
            self._begin(pod, item, path)
        elif pod.process.poll() is not None:
            self._ended(pod, item, path)
        else:
            # Mounted ConfigMaps and Secrets are looked at when the pod changes. (A real one does so each minute, too.)
            if pod.annotations != meta.get("annotations"):
                try:
                    self._volumes(pod, item, spec["containers"][0])
                except Later as missing:
                    self.problems.append(str(missing))
                pod.annotations = meta.get("annotations")
            ready = self._probe(item, spec["containers"][0])
            if ready != pod.ready or pod.told != "Running" or pod.generation != meta.get("generation"):
                pod.ready = ready
                self._tell(pod, item, path, "Running", {"running": {"startedAt": pod.started}})

    def _begin(self, pod, item, path):
        container = item["spec"]["containers"][0]
        image = self.images.get(container["image"])
        if image is None:
            if pod.told != "ErrImagePull":
                self._tell(pod, item, path, "Pending", {"waiting": {
                    "reason": "ErrImagePull", "message": f"there is no image {container['image']}"}})
                pod.told = "ErrImagePull"
            return
        try:
            command, env = self._command(pod, item, container, image)
        except Later as later:
            if pod.told != str(later):
                self._tell(pod, item, path, "Pending", {"waiting": {"reason": "ContainerCreating", "message": str(later)}})
                pod.told = str(later)
            return
        meta = item["metadata"]
        self.folder.mkdir(parents=True, exist_ok=True)
        log = open(self.folder / f"{meta['namespace']}_{meta['name']}_{pod.uid[:8]}.log", "ab")
        pod.process = subprocess.Popen(command, env=env, cwd=pod.folder, stdout=log, stderr=subprocess.STDOUT,
                                       start_new_session=True)
        log.close()
        pod.started, pod.ready, pod.told = stamp(), False, None
        self.started += 1
        if pod.restarts == 0 and "readinessProbe" not in container:
            pod.ready = True
        self._tell(pod, item, path, "Running", {"running": {"startedAt": pod.started}})

    def _command(self, pod, item, container, image):
        meta = item["metadata"]
        own = address(meta["namespace"], meta["name"])
        pod.folder.mkdir(parents=True, exist_ok=True)
        mounts, pod.annotations = self._volumes(pod, item, container), meta.get("annotations")
        env = {}
        for source in container.get("envFrom", []):
            kind = "configmaps" if "configMapRef" in source else "secrets"
            reference = source.get("configMapRef") or source["secretRef"]
            env.update(self._data(meta["namespace"], kind, reference["name"]))
        for variable in container.get("env", []):
            value, source = variable.get("value", ""), variable.get("valueFrom", {})
            if "fieldRef" in source:
                value = {"status.podIP": own, "metadata.name": meta["name"],
                         "metadata.namespace": meta["namespace"]}[source["fieldRef"]["fieldPath"]]
            elif "configMapKeyRef" in source or "secretKeyRef" in source:
                kind = "configmaps" if "configMapKeyRef" in source else "secrets"
                key = source.get("configMapKeyRef") or source["secretKeyRef"]
                value = self._data(meta["namespace"], kind, key["name"])[key["key"]]
            env[variable["name"]] = value

        def put_in(text):
            for name, value in env.items():
                text = text.replace(f"$({name})", value)
            for mount, folder in mounts:
                if text == mount or text.startswith(mount + "/"):
                    text = str(folder) + text[len(mount):]
            return SERVICE.sub(lambda match: self._resolve(match[1], match[2]), text)

        env = {name: put_in(value) for name, value in env.items()}
        programs = image.get("programs", {})
        command = container.get("command") or image["entrypoint"]
        words = [programs.get(command[0], command[0]), *command[1:], *container.get("args", [])]
        # All pods share one network here, so "all addresses" is the pod's own.
        words = [own if word == "0.0.0.0" else put_in(word) for word in map(str, words)]
        server = urllib.parse.urlsplit(self.api.base)
        told = {"KUBERNETES_SERVICE_HOST": server.hostname, "KUBERNETES_SERVICE_PORT": str(server.port)}
        return words, {"PATH": os.environ["PATH"], "HOME": str(pod.folder), "TZ": "UTC", **told, **image.get("env", {}), **env}

    def _volumes(self, pod, item, container):
        namespace, folders = item["metadata"]["namespace"], {}
        for volume in item["spec"].get("volumes", []):
            folder = pod.folder / volume["name"]
            if "configMap" in volume or "secret" in volume:
                kind = "configmaps" if "configMap" in volume else "secrets"
                source = volume.get("configMap") or volume["secret"]
                data = self._data(namespace, kind, source.get("name") or source["secretName"])
                folder.mkdir(exist_ok=True)
                for entry in source.get("items") or [{"key": key, "path": key} for key in data]:
                    if entry["key"] not in data:
                        raise Later(f"no key {entry['key']}")
                    # Whole at once, as a real one does; files with a dot are its own affair there, too.
                    part = folder / f".{entry['path']}"
                    part.write_text(data[entry["key"]])
                    part.rename(folder / entry["path"])
            elif "projected" in volume:
                folder.mkdir(exist_ok=True)
                for source in volume["projected"]["sources"]:
                    self._project(item, source, folder)
            elif "persistentVolumeClaim" in volume:
                folder = self.folder / "claims" / f"{namespace}_{volume['persistentVolumeClaim']['claimName']}"
            elif "hostPath" in volume:
                folder = pathlib.Path(volume["hostPath"]["path"])
            folder.mkdir(parents=True, exist_ok=True)
            folders[volume["name"]] = folder
        return [(m["mountPath"], folders[m["name"]]) for m in container.get("volumeMounts", []) if m["name"] in folders]

    def _project(self, item, source, folder):
        """A token of the pod's ServiceAccount, which is not made anew here, or a ConfigMap."""
        meta = item["metadata"]
        if "serviceAccountToken" in source:
            wanted = source["serviceAccountToken"]
            account = item["spec"].get("serviceAccountName", "default")
            made = self.api.create(f"/api/v1/namespaces/{meta['namespace']}/serviceaccounts/{account}/token", {
                "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {
                    "audiences": [wanted["audience"]] if "audience" in wanted else [],
                    "expirationSeconds": wanted.get("expirationSeconds", 3600), "boundObjectRef": {
                        "apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}}})
            (folder / wanted["path"]).write_text(made["status"]["token"])
        else:
            wanted = source["configMap"]
            data = self._data(meta["namespace"], "configmaps", wanted["name"])
            for entry in wanted["items"]:
                if entry["key"] not in data:
                    raise Later(f"no key {entry['key']}")
                (folder / entry["path"]).write_text(data[entry["key"]])

    def _data(self, namespace, kind, name):
        import base64

        found = self.api.maybe(f"/api/v1/namespaces/{namespace}/{kind}/{name}")
        if found is None:
            raise Later(f"{kind} {name} not found")
        data = found.get("data", {})
        return {k: base64.b64decode(v).decode() for k, v in data.items()} if kind == "secrets" else data

    def _resolve(self, service, namespace):
        found = self.api.maybe(f"/api/v1/namespaces/{namespace}/services/{service}")
        selector = (found or {}).get("spec", {}).get("selector", {})
        labels = ",".join(f"{key}={value}" for key, value in selector.items())
        pods = self.api.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector={labels}")["items"] if labels else []
        if not pods:
            raise Later(f"nothing behind service {service}")
        return address(namespace, pods[0]["metadata"]["name"])

    def _probe(self, item, container):
        probe = container.get("readinessProbe")
        if not probe:
            return True
        host = address(item["metadata"]["namespace"], item["metadata"]["name"])
        try:
            if "httpGet" in probe:
                url = f"http://{host}:{probe['httpGet']['port']}{probe['httpGet']['path']}"
                return urllib.request.urlopen(url, timeout=1).status == 200
            with socket.create_connection((host, probe["tcpSocket"]["port"]), timeout=1):
                return True
        except OSError:
            return False

    def _ended(self, pod, item, path):
        code = pod.process.returncode
        code = 128 - code if code < 0 else code
        again = item["spec"].get("restartPolicy", "Always") == "Always" and not pod.evicted
        if again:
            pod.restarts += 1
            pod.process, pod.ready = None, False
            self._tell(pod, item, path, "Running", {"waiting": {"reason": "CrashLoopBackOff"}})
            return
        pod.ready = False
        self._tell(pod, item, path, "Failed" if code or pod.evicted else "Succeeded", {"terminated": {
            "exitCode": code, "reason": "Error" if code else "Completed", "startedAt": pod.started,
            "finishedAt": stamp()}})

    def _tell(self, pod, item, path, phase, state):
        meta = item["metadata"]
        ip, ready = address(meta["namespace"], meta["name"]), "True" if pod.ready else "False"
        conditions = [{"type": kind, "status": status, "lastTransitionTime": stamp()} for kind, status in
                      (("PodScheduled", "True"), ("Ready", ready), ("ContainersReady", ready))]
        # A resize is there at once, or never.
        wanted = item["spec"]["containers"][0].get("resources", {})
        if pod.resources in (None, wanted) or cores(wanted) <= RESIZE_CORES:
            pod.resources = wanted
        else:
            conditions.append({"type": "PodResizePending", "status": "True", "reason": "Infeasible", "lastTransitionTime": stamp(),
                               "message": f"Node didn't have enough capacity: cpu, capacity: {RESIZE_CORES}"})
        pod.generation = meta.get("generation")
        status = {"observedGeneration": pod.generation, "phase": phase, "podIP": ip, "podIPs": [{"ip": ip}], "conditions": conditions, "containerStatuses": [{
            "name": item["spec"]["containers"][0]["name"], "image": item["spec"]["containers"][0]["image"],
            "imageID": "", "ready": pod.ready, "restartCount": pod.restarts, "state": state,
            "resources": pod.resources}]}
        if pod.evicted:
            status["reason"], status["message"] = pod.evicted, "the node was low on resources"
        self.api.merge(f"{path}/status", {"status": status})
        pod.told = phase
