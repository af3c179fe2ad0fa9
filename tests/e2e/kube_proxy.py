"""Services of a control plane, as nodes reach them: what the EndpointSlice controller and kube-proxy do.

A Service has an address of its own in 127.0.0.0/8. A port of it is there while something is behind it: pods of its selector
that are ready and stay, and the endpoints of EndpointSlices that others made for it. Each connection goes to one of them,
chosen at random, and stays with it. The API server takes no loopback addresses in EndpointSlices, so 100.x.y.z there stands
for 127.x.y.z, and Kubernetes' own controller, which runs too, makes none for pods that are ready.
"""
import hashlib
import random
import socket
import threading

from control_plane import Refused

NAMED = "kubernetes.io/service-name"
PERIOD = 0.1


def address(namespace, name):
    digest = hashlib.sha256(f"service/{namespace}/{name}".encode()).digest()
    return f"127.{1 + digest[0] % 250}.{digest[1]}.{1 + digest[2] % 250}"


def outside(loopback):
    """How an address of this machine is written where loopback addresses are not taken."""
    return loopback.replace("127.", "100.", 1)


def inside(written):
    return written.replace("100.", "127.", 1) if written.startswith("100.") else written


class KubeProxy:
    """Serves the Services it is asked for, until it is stopped."""

    def __init__(self, api):
        self.api, self.services, self.ports = api, set(), {}
        self.problems, self._stop = [], threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def serve(self, namespace, name):
        """The Service's address, from now on."""
        self.services.add((namespace, name))
        return address(namespace, name)

    def stop(self):
        self._stop.set()
        self._thread.join(10)
        for port in self.ports.values():
            port.close()

    def _run(self):
        while not self._stop.wait(PERIOD):
            try:
                wanted = {}
                for namespace, name in list(self.services):
                    for number, behind in self.endpoints(namespace, name).items():
                        wanted[address(namespace, name), number] = behind
                for key in [key for key in self.ports if key not in wanted]:
                    self.ports.pop(key).close()
                for key, behind in wanted.items():
                    if key not in self.ports:
                        self.ports[key] = Port(key)
                    self.ports[key].behind = behind
            except (Refused, OSError) as problem:
                self.problems.append(str(problem))

    def endpoints(self, namespace, name):
        """What is behind each port that has something behind it."""
        service = self.api.maybe(f"/api/v1/namespaces/{namespace}/services/{name}")
        if service is None:
            return {}
        selector = ",".join(f"{key}={value}" for key, value in service["spec"].get("selector", {}).items())
        pods = self.api.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector={selector}")["items"] if selector else []
        slices = self.api.get(f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?labelSelector={NAMED}={name}")
        found = {}
        for port in service["spec"]["ports"]:
            behind = [(pod["status"]["podIP"], port["targetPort"]) for pod in pods if takes(pod)]
            for made in slices["items"]:
                for number in [p["port"] for p in made["ports"] or [] if p["name"] == port["name"]]:
                    behind += [(inside(a), number) for e in made["endpoints"] or [] if e["conditions"].get("ready", True)
                               for a in e["addresses"]]
            if behind:
                found[port["port"]] = behind
        return found


def takes(pod):
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
    return ready and not pod["metadata"].get("deletionTimestamp")


class Port:
    """A port of a Service that has something behind it."""

    def __init__(self, at):
        self.behind = []
        self._listener = socket.create_server(at, backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Takes no more; connections stay."""
        try:
            # Wakes the thread that waits for connections, too.
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(random.choice(self.behind), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=carry, args=(one, other), daemon=True).start()


def carry(one, other):
    """Bytes from one to the other, and the end of them."""
    try:
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
