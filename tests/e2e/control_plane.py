"""A real Kubernetes control plane for tests: etcd, kube-apiserver and kube-controller-manager as child processes.

The binary is built from the Go modules of tests/control-plane by tests/prepare.sh, once for each version of them.
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request

import services

SOURCE = pathlib.Path(__file__).parent.parent / "control-plane"
CONTROLLERS = ("garbage-collector-controller", "namespace-controller", "serviceaccount-controller",
               "serviceaccount-token-controller", "root-ca-certificate-publisher-controller", "disruption-controller",
               "endpointslice-controller")
ADMIN, OPERATOR = "admin-token", "operator-token"
OPERATOR_USER = "system:serviceaccount:firesteel-system:firesteel-operator"


def binary():
    """Where the binary is; prepare.sh computes the same name."""
    digest = hashlib.sha256(b"".join((SOURCE / n).read_bytes() for n in ("go.mod", "go.sum", "main.go"))).hexdigest()[:12]
    return pathlib.Path(os.environ.get("FIRESTEEL_CONTROL_PLANE",
                                       services.CACHE / f"control-plane-{digest}" / "control-plane"))


class Refused(Exception):
    """The API server said no."""

    def __init__(self, code, message, reason):
        super().__init__(f"{code} {reason}: {message}")
        self.code, self.message, self.reason = code, message, reason


class Api:
    """The API server, as one user."""

    def __init__(self, port, token):
        self.base, self.token = f"https://127.0.0.1:{port}", token
        self._tls = ssl.create_default_context()
        self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE

    def call(self, method, path, body=None, content="application/json"):
        data = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, method=method, headers={
            "Authorization": f"Bearer {self.token}", "Content-Type": content, "Accept": "application/json"})
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=20) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                status = json.loads(text)
            except ValueError:
                status = {"message": text.decode(errors="replace"), "reason": ""}
            raise Refused(error.code, status.get("message", ""), status.get("reason", "")) from None

    def get(self, path):
        return self.call("GET", path)

    def maybe(self, path):
        try:
            return self.get(path)
        except Refused as refused:
            if refused.code == 404:
                return None
            raise

    def create(self, path, body):
        return self.call("POST", path, body)

    def merge(self, path, body):
        return self.call("PATCH", path, body, "application/merge-patch+json")

    def delete(self, path, **options):
        return self.call("DELETE", path, {"kind": "DeleteOptions", "apiVersion": "v1", **options})

    def apply(self, document, dry_run=False):
        """Server-side apply of one document: a dict, or YAML in which kubectl's usual order of lines names the object."""
        path = self.path_of(document) + "?fieldManager=test&force=true" + ("&dryRun=All" if dry_run else "")
        body = document if isinstance(document, str) else json.dumps(document)
        return self.call("PATCH", path, body, "application/apply-patch+yaml")

    def path_of(self, document):
        if isinstance(document, str):
            def line(pattern):
                found = re.search(pattern, document, re.MULTILINE)
                return found[1].strip("\"'") if found else None

            metadata = re.search(r"^metadata:\n((?:[ ]+.*\n?)+)", document, re.MULTILINE)[1]
            document = {"apiVersion": line(r"^apiVersion: (\S+)"), "kind": line(r"^kind: (\S+)"), "metadata": {
                key: found[1].strip("\"'") for key in ("name", "namespace")
                if (found := re.search(rf"^  {key}: (\S+)", metadata, re.MULTILINE))}}
        group = document["apiVersion"]
        root = f"/api/{group}" if "/" not in group else f"/apis/{group}"
        kinds = {r["kind"]: r for r in self.get(root)["resources"] if "/" not in r["name"]}
        kind, meta = kinds[document["kind"]], document["metadata"]
        namespace = f"/namespaces/{meta.get('namespace', 'default')}" if kind["namespaced"] else ""
        return f"{root}{namespace}/{kind['name']}/{meta['name']}"


class ControlPlane:
    """The three processes. `admin` may do everything."""

    def __init__(self, folder):
        if not binary().exists():
            raise services.Unavailable(f"Kubernetes: no control plane at {binary()} (needs Go, see tests/prepare.sh)")
        if not shutil.which("openssl"):
            raise services.Unavailable("Kubernetes: no openssl to make keys with")
        self.folder = pathlib.Path(folder) / "control-plane"
        self.folder.mkdir(parents=True)
        etcd, peer, self.port = services.free_port(), services.free_port(), services.free_port()
        key = self.folder / "sa.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", self.folder / "sa.pub"], check=True,
                       capture_output=True)
        (self.folder / "tokens.csv").write_text(
            f'{ADMIN},admin,1,"system:masters"\n{OPERATOR},{OPERATOR_USER},2,"system:serviceaccounts"\n')
        self.admin = Api(self.port, ADMIN)
        self.processes = []
        self._start("etcd", f"--data-dir={self.folder}/etcd", f"--listen-client-urls=http://127.0.0.1:{etcd}",
                    f"--advertise-client-urls=http://127.0.0.1:{etcd}", f"--listen-peer-urls=http://127.0.0.1:{peer}",
                    "--unsafe-no-fsync", "--log-level=error")
        services.wait_until("etcd", lambda: services.listening(etcd), 30, self.processes[-1].popen)
        self._start("kube-apiserver", f"--etcd-servers=http://127.0.0.1:{etcd}", f"--cert-dir={self.folder}/apiserver",
                    "--bind-address=127.0.0.1", f"--secure-port={self.port}", "--service-cluster-ip-range=10.0.0.0/24",
                    "--authorization-mode=RBAC", "--service-account-issuer=https://localhost",
                    f"--service-account-key-file={self.folder}/sa.pub",
                    f"--service-account-signing-key-file={key}", f"--token-auth-file={self.folder}/tokens.csv",
                    "--endpoint-reconciler-type=none", "--enable-priority-and-fairness=false")
        services.wait_until("the API server", lambda: self._ready(), 60, self.processes[-1].popen)
        self._start("kube-controller-manager", f"--kubeconfig={self.kubeconfig('controllers', ADMIN)}",
                    "--leader-elect=false", "--secure-port=0", f"--service-account-private-key-file={key}",
                    f"--root-ca-file={self.folder}/apiserver/apiserver.crt",
                    f"--controllers={','.join(CONTROLLERS)}")
        services.wait_until("service accounts", lambda: self.admin.maybe(
            "/api/v1/namespaces/default/serviceaccounts/default"), 60, self.processes[-1].popen)

    def _start(self, name, *flags):
        self.processes.append(services.Process(name, [binary(), name, *flags], self.folder))

    def _ready(self):
        try:
            return self.admin.get("/api") and urllib.request.urlopen(urllib.request.Request(
                self.admin.base + "/readyz", headers={"Authorization": f"Bearer {ADMIN}"}),
                context=self.admin._tls, timeout=5).status == 200
        except (Refused, OSError):
            return False

    def kubeconfig(self, name, token):
        """A file that makes a client the user of a token."""
        path = self.folder / f"{name}.kubeconfig"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": self.admin.base, "insecure-skip-tls-verify": True}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}))
        return path

    def namespace(self, name):
        self.admin.create("/api/v1/namespaces", {"metadata": {"name": name}})
        services.wait_until(f"service account of {name}", lambda: self.admin.maybe(
            f"/api/v1/namespaces/{name}/serviceaccounts/default"))
        return name

    def stop(self):
        for process in reversed(self.processes):
            process.stop()
