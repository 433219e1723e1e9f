"""What people get wrong in a Deployment is refused by both, with the same causes in the same words."""

import json
from typing import Any

import pytest

from tests.contract.space import Json, Space, workload


def deployment(container: Json | None = None, pod: Json | None = None, labels: Json | None = None, **spec: Any) -> Json:
    """One that is right but for what is given."""
    made = workload("wrong", container=container, pod=pod, **spec)
    meta = made["spec"]["template"]["metadata"]
    meta["labels"] = meta["labels"] | (labels or {})
    return made


def in_container(**fields: Any) -> Json:
    return deployment(container=fields)


def in_pod(**fields: Any) -> Json:
    return deployment(pod=fields)


def variable(**source: Any) -> Json:
    return in_container(env=[{"name": "A", "valueFrom": source}])


def volume(*volumes: Json) -> Json:
    return in_pod(volumes=list(volumes))


def mount(*mounts: Json) -> Json:
    return deployment(container={"volumeMounts": list(mounts)}, pod={"volumes": [{"name": "v", "emptyDir": {}}]})


def limits(**amounts: str) -> Json:
    return in_container(resources={kind: {"nvidia.com/gpu": count} for kind, count in amounts.items()})


def node_affinity(**terms: Any) -> Json:
    rules = {f"{kind}DuringSchedulingIgnoredDuringExecution": one for kind, one in terms.items()}
    return in_pod(affinity={"nodeAffinity": rules})


def expressions(*found: Json) -> Json:
    return {"nodeSelectorTerms": [{"matchExpressions": list(found)}]}


HTTP = {"httpGet": {"path": "/", "port": 80}}
TWO = [{"name": name, "image": "a", "ports": [{"containerPort": 80, "hostPort": 80}]} for name in ("a", "b")]
WRONG: dict[str, Json] = {
    "a container's name": in_container(name="C_"),
    "a container's long name": in_container(name="a" * 64),
    "no name and no image": in_container(name="", image=""),
    "one name twice": in_pod(containers=[{"name": "a", "image": "a"}, {"name": "a", "image": "b"}]),
    "an init container's name": in_pod(initContainers=[{"name": "main", "image": "a"}]),
    "an init container with a probe": in_pod(initContainers=[{"name": "i", "image": "a", "livenessProbe": HTTP}]),
    "no containers": in_pod(containers=[]),
    "a port's name": in_container(ports=[{"name": "Http_1", "containerPort": 80}]),
    "a port's long name": in_container(ports=[{"name": "a" * 16, "containerPort": 80}]),
    "a port named by a number": in_container(ports=[{"name": "8000", "containerPort": 80}]),
    "a port's name with hyphens": in_container(ports=[{"name": "-a--b", "containerPort": 80}]),
    "one port name twice": in_container(ports=[{"name": "http", "containerPort": one} for one in (80, 81)]),
    "no port": in_container(ports=[{"name": "http"}]),
    "a port too large": in_container(ports=[{"containerPort": 70000, "hostPort": 70000, "protocol": "HTTP"}]),
    "one port of the host twice": in_pod(containers=TWO),
    "another port of the host": in_pod(hostNetwork=True, containers=[TWO[0] | {"ports": [
        {"containerPort": 80, "hostPort": 81}]}]),
    "no name of a variable": in_container(env=[{"name": "", "value": "a"}]),
    "a variable's name": in_container(env=[{"name": "A=B", "value": "a"}, {"name": "Ä", "value": "a"}]),
    "a value and a source": in_container(env=[{"name": "A", "value": "a", "valueFrom": {
        "secretKeyRef": {"name": "s", "key": "k"}}}]),
    "no source": variable(),
    "two sources": variable(secretKeyRef={"name": "s", "key": "k"}, configMapKeyRef={"name": "s", "key": "k"}),
    "no key": variable(secretKeyRef={"name": "s", "key": ""}),
    "no secret": variable(secretKeyRef={"name": "", "key": "k"}),
    "a bad key": variable(configMapKeyRef={"name": "S_", "key": "a b"}),
    "an unknown field": variable(fieldRef={"fieldPath": "spec.nope"}),
    "an unknown resource": variable(resourceFieldRef={"resource": "limits.nope"}),
    "variables of nothing": in_container(envFrom=[{}]),
    "variables of two": in_container(envFrom=[{"secretRef": {"name": "s"}, "configMapRef": {"name": "m"}}]),
    "variables of a bad name": in_container(envFrom=[{"prefix": "a=b", "secretRef": {"name": ""}}]),
    "when to pull": in_container(imagePullPolicy="Sometimes"),
    "more than the limit": in_container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
    "less than nothing": in_container(resources={"requests": {"cpu": "-1"}}),
    "an unknown amount": in_container(resources={"limits": {"gpu": "1"}}),
    "another kind of amount": in_container(resources={"limits": {"storage": "1"}}),
    "no limit of cards": limits(requests="1"),
    "fewer cards than the limit": limits(requests="1", limits="2"),
    "half a card": limits(limits="500m"),
    "fewer cards than none": limits(limits="-1"),
    "a card's name": in_container(resources={"limits": {"nvidia.com/g_": "1"}}),
    "a card's vendor": in_container(resources={"limits": {"Nvidia_/gpu": "1"}}),
    "only huge pages": in_container(resources={"limits": {"hugepages-2Mi": "2Mi"}}),
    "two ways to probe": in_container(livenessProbe={"httpGet": {"port": 80}, "tcpSocket": {"port": 80}}),
    "no way to probe": in_container(livenessProbe={}),
    "a probe's port": in_container(readinessProbe={"httpGet": {"port": "nope_", "scheme": "FTP"}}),
    "a probe's port too large": in_container(startupProbe={"tcpSocket": {"port": 70000}}),
    "a probe's times": in_container(livenessProbe=HTTP | {"periodSeconds": -1, "timeoutSeconds": -1}),
    "a probe that has to work twice": in_container(startupProbe=HTTP | {"successThreshold": 2}),
    "a probe's header": in_container(readinessProbe={"httpGet": {"port": 80, "httpHeaders": [{
        "name": "a b", "value": "c"}]}}),
    "a probe without a command": in_container(readinessProbe={"exec": {"command": []}}),
    "a hook that does nothing": in_container(lifecycle={"preStop": {}}),
    "a mount of no volume": in_container(volumeMounts=[{"name": "v", "mountPath": "/a"}]),
    "a mount nowhere": mount({"name": "v", "mountPath": ""}),
    "one mount twice": mount({"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/a"}),
    "a mount of what is above": mount({"name": "v", "mountPath": "/a", "subPath": "../x"}),
    "a volume's name": volume({"name": "V_", "emptyDir": {}}),
    "a volume without a name": volume({"name": "", "emptyDir": {}}),
    "one volume twice": volume({"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}),
    "a volume of two": volume({"name": "v", "emptyDir": {}, "secret": {"secretName": "s"}}),
    "a volume of no secret": volume({"name": "v", "secret": {}}),
    "a volume of no map": volume({"name": "v", "configMap": {"defaultMode": 1000}}),
    "a volume of no claim": volume({"name": "v", "persistentVolumeClaim": {"claimName": ""}}),
    "a volume of no folder": volume({"name": "v", "hostPath": {"path": ""}}),
    "a volume of another kind of folder": volume({"name": "v", "hostPath": {"path": "/a/../b", "type": "Nope"}}),
    "a volume smaller than nothing": volume({"name": "v", "emptyDir": {"sizeLimit": "-1"}}),
    "a volume's files": volume({"name": "v", "secret": {"secretName": "s", "items": [
        {"key": "", "path": "/a"}, {"key": "k", "path": "../b"}]}}),
    "a volume of no server": volume({"name": "v", "nfs": {"server": "", "path": "a"}}),
    "when to restart": in_pod(restartPolicy="Never"),
    "how to resolve names": in_pod(dnsPolicy="Nope"),
    "a deadline of pods": in_pod(activeDeadlineSeconds=0),
    "names of a pod": in_pod(serviceAccountName="A_", nodeName="A_", hostname="A_", priorityClassName="A_"),
    "a user": in_container(securityContext={"runAsUser": -1}),
    "users of a pod": in_pod(securityContext={"runAsUser": -1, "fsGroup": -1, "supplementalGroups": [-1]}),
    "labels of nodes": in_pod(nodeSelector={"a b": "c d"}),
    "a toleration's operator": in_pod(tolerations=[{"key": "a", "operator": "Nope"}]),
    "a toleration's value": in_pod(tolerations=[{"key": "a", "operator": "Exists", "value": "b"}]),
    "a toleration of everything": in_pod(tolerations=[{"operator": "Equal", "value": "b"}]),
    "a toleration's effect": in_pod(tolerations=[{"key": "a b", "operator": "Exists", "effect": "Nope"}]),
    "a toleration's time": in_pod(tolerations=[{"key": "a", "value": "b c", "effect": "NoSchedule",
                                                "tolerationSeconds": 5}]),
    "an affinity's operator": node_affinity(required=expressions({"key": "a", "operator": "Nope", "values": ["b"]})),
    "an affinity to no value": node_affinity(required=expressions({"key": "a", "operator": "In"})),
    "an affinity to two values": node_affinity(required=expressions({"key": "a b", "operator": "Gt",
                                                                     "values": ["1", "2"]})),
    "an affinity to nothing": node_affinity(required={"nodeSelectorTerms": []}),
    "an affinity's weight": node_affinity(preferred=[{"weight": 0, "preference": {}}]),
    "how to spread": in_pod(topologySpreadConstraints=[{"maxSkew": 0, "topologyKey": "", "whenUnsatisfiable": "No"}]),
    "a label's key": deployment(labels={"a b": "c"}),
    "a label's value": deployment(labels={"a": "b c"}),
    "other labels than selected": deployment(selector={"matchLabels": {"app": "other"}}),
    "no label selected": deployment(selector={}),
    "a selector's labels": deployment(selector={"matchLabels": {"a b": "c d"}}),
    "a selector's operator": deployment(selector={"matchExpressions": [{"key": "app", "operator": "Nope"}]}),
    "counts": deployment(replicas=-1, minReadySeconds=-1, revisionHistoryLimit=-1, progressDeadlineSeconds=-5),
    "a deadline too soon": deployment(progressDeadlineSeconds=5, minReadySeconds=5),
    "a strategy": deployment(strategy={"type": "Nope"}),
    "a strategy's parts": deployment(strategy={"type": "Recreate", "rollingUpdate": {}}),
    "a surge": deployment(strategy={"rollingUpdate": {"maxSurge": "x", "maxUnavailable": -1}}),
    "too many unavailable": deployment(strategy={"rollingUpdate": {"maxUnavailable": "101%"}}),
    "no way to roll out": deployment(strategy={"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 0}}),
    "many things": deployment({"name": "C_", "image": "", "ports": [{"name": "a" * 20}], "livenessProbe": {}}),
    "a name": deployment() | {"metadata": {"name": "A_", "labels": {"a b": "c"}, "annotations": {"x y": "z"}}},
    "a long name": deployment() | {"metadata": {"name": "a" * 254}},
}  # fmt: skip
QUOTAS: dict[str, Json] = {
    "an unknown name": {"hard": {"nonsense": "1"}},
    "less than nothing": {"hard": {"pods": "-1"}},
    "half an object": {"hard": {"services": "1.5"}},
    "an unknown scope": {"hard": {"pods": "1"}, "scopes": ["Nope"]},
}


def refusal(space: Space, path: str, manifest: Json) -> Json:
    """The Status, its causes in an order of their own: Go's maps have none."""
    answer = space.send("POST", path, manifest)
    assert answer.status_code == 422, answer.text
    found: Json = answer.json()
    found["details"]["causes"].sort(key=json.dumps)
    found["message"] = sorted(found["message"])
    return found


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_deployment_is_refused_for_the_same_causes(both: tuple[Space, Space], case: str) -> None:
    real, imitated = (refusal(space, f"{space.apps}/deployments", WRONG[case]) for space in both)
    assert imitated == real


@pytest.mark.parametrize("case", QUOTAS)
def test_a_wrong_quota_is_refused_for_the_same_causes(both: tuple[Space, Space], case: str) -> None:
    manifest = {"metadata": {"name": "wrong"}, "spec": QUOTAS[case]}
    real, imitated = (refusal(space, f"{space.core}/resourcequotas", manifest) for space in both)
    assert imitated == real
