"""An Ingress of a cluster: made, changed, left alone where it is somebody else's, and taken away."""
from operators import cluster_spec
from test_operator import space  # noqa: F401: a fixture

ROOT = "/apis/networking.k8s.io/v1/namespaces"


def test_a_cluster_has_the_ingress_its_spec_says_and_touches_no_other(kube, space, tmp_path):
    def ingress(name="c"):
        return kube.api.maybe(f"{ROOT}/{space}/ingresses/{name}")

    def address():
        return kube.status("cluster", space, "c").get("endpoints", {}).get("ingress")

    theirs = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "c", "namespace": space},
              "spec": {"defaultBackend": {"service": {"name": "other", "port": {"number": 80}}}}}
    kube.api.create(f"{ROOT}/{space}/ingresses", theirs)
    wanted = {"host": "c.example.com", "className": "nginx", "tlsSecretName": "cert", "annotations": {"a.example/b": "c"}}
    kube.create("cluster", space, "c", cluster_spec(tmp_path / "w", hibernation={"suspend": True}, ingress=wanted))
    kube.wait("it says that the name is taken", lambda: "IngressTaken" in [r for _, r, _ in kube.events(space)])
    assert "defaultBackend" in ingress()["spec"] and address() is None
    kube.api.delete(f"{ROOT}/{space}/ingresses/c")
    # The operator looks again when the spec changes.
    kube.patch("cluster", space, "c", {"ingress": {"path": "/fire"}})
    made = kube.wait("an Ingress", ingress)
    assert made["metadata"]["ownerReferences"][0]["kind"] == "FiresteelCluster" and made["metadata"]["annotations"] == {"a.example/b": "c"}
    rule = made["spec"]["rules"][0]
    assert rule["host"] == "c.example.com" and rule["http"]["paths"][0]["path"] == "/fire" and made["spec"]["tls"]
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "c", "port": {"number": 8080}}
    kube.wait("the address", lambda: address() == "https://c.example.com/fire")
    kube.patch("cluster", space, "c", {"ingress": {"path": "/", "service": "SparkConnect", "annotations": {"a.example/b": None, "d": "e"}}})
    kube.wait("another port", lambda: ingress()["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"] == {"number": 15002})
    assert ingress()["metadata"]["annotations"] == {"d": "e"}
    kube.wait("the other address", lambda: address() == "sc://c.example.com:443/;use_ssl=true")
    # What the API server refuses of it is told, and holds nothing else back.
    kube.patch("cluster", space, "c", {"ingress": {"annotations": {"not a key!": "x"}}})
    kube.wait("it says why", lambda: any("not a key!" in note for _, reason, note in kube.events(space) if reason == "IngressRefused"))
    kube.wait("there is no address", lambda: address() is None)
    kube.patch("cluster", space, "c", {"ingress": None})
    kube.wait("it is gone", lambda: ingress() is None)
    kube.wait("so is the address", lambda: address() is None)
