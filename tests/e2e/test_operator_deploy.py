"""What is deployed: manifests say what their sources say, and a real API server takes them."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

import charts
import operators
import services

DEPLOY = operators.ROOT / "deploy"
# Values that take every way through the templates that the defaults do not.
VALUES = {
    "watchNamespace": "default", "monitoring": {"annotations": False, "podMonitor": True}, "aggregatedRoles": False,
    "logJson": False, "tolerations": [{"key": "k", "operator": "Exists"}], "imagePullSecrets": [{"name": "s"}],
    "compat": {"kubeflow": True, "image": "i", "warehouse": "/w", "namespaces": "default", "pythonImage": "p"},
    "nodeSelector": {"a": "b"}, "tokenReviewers": [{"kind": "ServiceAccount", "namespace": "default", "name": "r"}]}


@pytest.fixture(scope="module")
def helm():
    """The real one; tests/prepare.sh builds it and computes the same name."""
    source = operators.ROOT / "tests/helm"
    digest = hashlib.sha256(b"".join((source / name).read_bytes() for name in ("go.mod", "go.sum"))).hexdigest()[:12]
    binary = pathlib.Path(os.environ.get("FIRESTEEL_HELM", services.CACHE / f"helm-{digest}" / "helm"))
    if not binary.exists():
        pytest.skip(f"no helm at {binary} (needs Go, see tests/prepare.sh)")

    def run(*arguments):
        done = subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_helm_finds_nothing_wrong_with_the_chart_and_renders_what_we_do(helm, tmp_path):
    def objects(text):
        found = [document for document in yaml.safe_load_all(text) if document]
        return {(one["kind"], one["metadata"]["name"]): one for one in found}

    chart, over = DEPLOY / "chart", tmp_path / "values.yaml"
    for values in ({}, VALUES):
        over.write_text(json.dumps(values))
        assert "0 chart(s) failed" in helm("lint", "--strict", chart, "--values", over)
        # Built from source it takes itself for one of an old Kubernetes.
        text = helm("template", "firesteel", chart, "--namespace", "firesteel-system", "--kube-version", "1.37.1", "--values", over)
        ours = objects(charts.render(chart, "firesteel-system", values))
        assert objects(text) == ours and len(ours) >= 5


def test_manifests_say_what_the_types_and_the_chart_say():
    crds = subprocess.run([operators.BINARY, "crd"], check=True, capture_output=True, text=True).stdout
    assert crds == (DEPLOY / "chart/crds/crds.yaml").read_text(), "run deploy/render"
    assert charts.render(DEPLOY / "chart", "firesteel-system") == (DEPLOY / "manifests/operator.yaml").read_text(), "run deploy/render"


def test_firesteel_hands_over_to_the_operator_beside_it(tmp_path):
    for binary in (services.BINARY, operators.BINARY):
        shutil.copy(binary, tmp_path / binary.name)
    said = subprocess.run([tmp_path / "firesteel", "crd"], check=True, capture_output=True, text=True).stdout
    assert said.count("kind: CustomResourceDefinition") == 4
    help_text = subprocess.run([tmp_path / "firesteel", "operator", "--help"], check=True, capture_output=True, text=True)
    assert "--leader-election" in help_text.stdout
    (tmp_path / "firesteel-operator").unlink()
    alone = subprocess.run([tmp_path / "firesteel", "crd"], capture_output=True, text=True, env={"PATH": ""})
    assert alone.returncode != 0 and "firesteel-operator" in alone.stderr


def test_the_api_server_takes_every_manifest_and_example(kube):
    # Its API server knows no PodMonitor.
    one = charts.render(DEPLOY / "chart", "firesteel-system", {**VALUES, "monitoring": {"annotations": False}})
    texts = [(DEPLOY / "manifests/operator.yaml").read_text(), (DEPLOY / "chart/crds/crds.yaml").read_text(),
             one]
    texts += [path.read_text() for path in sorted((DEPLOY / "examples").glob("*.yaml"))]
    taken = [kube.api.apply(document, dry_run=True) for text in texts for document in operators.documents(text)]
    kinds = {item["kind"] for item in taken}
    assert {"Deployment", "ClusterRole", "Role", "FiresteelCluster", "FiresteelJob", "FiresteelSchedule", "FiresteelToken"} <= kinds
    assert len(taken) >= 20
    # The operator takes every flag the chart gives it.
    flags = set(re.findall(r"- (--[a-z-]+)", one))
    known = subprocess.run([operators.BINARY, "run", "--help"], check=True, capture_output=True, text=True).stdout
    assert {"--namespace", "--compat-kubeflow", "--compat-python-image"} <= flags <= set(re.findall(r"--[a-z-]+", known)), flags
    variables = set(re.findall(r"- name: (FIRESTEEL_[A-Z_]+)", one))
    assert variables == {"FIRESTEEL_OPERATOR_ACTIVATOR_ADDRESS"} and all(f"{name}=" in known for name in variables)
    # With one namespace the operator has no rights beyond it; schedulers that review tokens have what they were given.
    bindings = [document for document in operators.documents(one) if "ClusterRole" in document]
    assert len(bindings) == 1 and "name: firesteel-token-reviewers" in bindings[0] and " name: firesteel-operator\n" not in bindings[0]


def test_the_operator_has_no_right_it_does_not_need():
    text = (DEPLOY / "manifests/operator.yaml").read_text()
    rules = text.split("---")
    own = next(part for part in rules if re.search(r"kind: ClusterRole\n", part) and "name: firesteel-operator\n" in part)
    assert own.count("secrets]\n    verbs: [get, create, patch]\n") == own.count("secrets") == 1
    assert '"*"' not in own and "webhook" not in text
