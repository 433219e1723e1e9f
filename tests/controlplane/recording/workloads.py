"""Workloads that run, change, fail and are refused."""

from typing import Any

from tests.controlplane import manifests
from tests.controlplane.manifests import GPU, Manifest
from tests.controlplane.recording.cluster import APPS, CORE, NAMESPACE, Cluster

BATCH = f"/apis/batch/v1/namespaces/{NAMESPACE}"
AUTOSCALING = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}"
POLICY = f"/apis/policy/v1/namespaces/{NAMESPACE}"


def play(cluster: Cluster) -> None:
    """Everything; the slow autoscaler is made first, so that the rest passes while it thinks."""
    create_objects(cluster)
    roll_out(cluster)
    fail_rollouts(cluster)
    refuse_pods(cluster)
    run_jobs(cluster)
    evict_for_priority(cluster)
    lose_a_node(cluster)
    cluster.wait(lambda: _has_conditions(cluster, f"{AUTOSCALING}/horizontalpodautoscalers/served"))


def create_objects(cluster: Cluster) -> None:
    """What stands beside a served model: service, budget, autoscaler, network policy, role."""
    selector = {"app": "served"}
    service = {"selector": selector, "ports": [{"name": "http", "port": 80, "targetPort": 8000}]}
    cluster.create(f"{CORE}/services", _object("v1", "Service", "served", service))
    budget = {"minAvailable": 2, "selector": {"matchLabels": selector}}
    cluster.create(f"{POLICY}/poddisruptionbudgets", _object("policy/v1", "PodDisruptionBudget", "served", budget))
    utilisation = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    scaler = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "served"},
        "minReplicas": 1,
        "maxReplicas": 4,
        "metrics": [{"type": "Resource", "resource": utilisation}],
    }
    kind = "HorizontalPodAutoscaler"
    cluster.create(f"{AUTOSCALING}/horizontalpodautoscalers", _object("autoscaling/v2", kind, "served", scaler))
    policies = f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies"
    cluster.create(policies, _object("networking.k8s.io/v1", "NetworkPolicy", "closed", {"podSelector": {}}))


def roll_out(cluster: Cluster) -> None:
    """A Deployment that comes up, scales up and down, changes its image, pauses and goes on."""
    small = {"container": resources("cpu", "100m")}
    served = manifests.deployment("served", replicas=2, pod=small, strategy={"rollingUpdate": {"maxSurge": 1}})
    cluster.create(f"{APPS}/deployments", served)
    cluster.run_pods("served", 2)
    cluster.wait_condition("served", "NewReplicaSetAvailable")
    for replicas in (3, 2):
        cluster.patch(f"{APPS}/deployments/served/scale", {"spec": {"replicas": replicas}})
        cluster.run_pods("served", replicas)
        cluster.wait(lambda: _bury_and_count(cluster, "served") == replicas)  # noqa: B023 - called before the next turn
    cluster.patch(f"{APPS}/deployments/served", {"spec": {"template": {"metadata": {"annotations": {"turn": "2"}}}}})
    cluster.wait(lambda: _replace_pods(cluster, "served"))
    cluster.patch(f"{APPS}/deployments/served", {"spec": {"paused": True}})
    cluster.wait_condition("served", "DeploymentPaused")
    cluster.patch(f"{APPS}/deployments/served", {"spec": {"paused": None}})
    cluster.wait_condition("served", "DeploymentResumed")


def fail_rollouts(cluster: Cluster) -> None:
    """One that passes its deadline, and one that a quota keeps from having pods."""
    huge = {"container": resources(GPU, "8")}
    late = manifests.deployment("late", replicas=2, pod=huge, progressDeadlineSeconds=2)
    cluster.create(f"{APPS}/deployments", late)
    cluster.wait_condition("late", "ProgressDeadlineExceeded")
    quota = _object("v1", "ResourceQuota", "gpus", {"hard": {f"requests.{GPU}": "4"}})
    cluster.create(f"{CORE}/resourcequotas", quota)
    cluster.wait(lambda: cluster.get(f"{CORE}/resourcequotas/gpus")["status"].get("hard"))
    cluster.create(f"{APPS}/deployments", manifests.deployment("over-quota", pod=huge))
    cluster.wait_condition("over-quota", "FailedCreate")
    cluster.delete(f"{CORE}/resourcequotas/gpus")


def refuse_pods(cluster: Cluster) -> None:
    """Pods that admission refuses: no such account, no such priority, not restricted enough."""
    for name, pod in (
        ("no-account", {"serviceAccountName": "absent"}),
        ("no-priority", {"priorityClassName": "absent"}),
    ):
        cluster.create(f"{APPS}/deployments", manifests.deployment(name, pod=pod))
        cluster.wait_condition(name, "FailedCreate")
    label = "pod-security.kubernetes.io/enforce"
    cluster.patch(f"/api/v1/namespaces/{NAMESPACE}", {"metadata": {"labels": {label: "restricted"}}})
    cluster.create(f"{APPS}/deployments", manifests.deployment("not-restricted"))
    cluster.wait_condition("not-restricted", "FailedCreate")
    cluster.patch(f"/api/v1/namespaces/{NAMESPACE}", {"metadata": {"labels": {label: None}}})


def run_jobs(cluster: Cluster) -> None:
    """A Job that completes and one that fails for good."""
    for name, phase in (("fetched", "Succeeded"), ("broken", "Failed")):
        template = manifests.pod(name)["spec"] | {"restartPolicy": "Never"}
        spec = {"backoffLimit": 0, "template": {"metadata": {"labels": {"app": name}}, "spec": template}}
        cluster.create(f"{BATCH}/jobs", _object("batch/v1", "Job", name, spec))
        cluster.wait(lambda: cluster.pods(name))  # noqa: B023 - called before the next turn
        pod = cluster.pods(name)[0]["metadata"]["name"]
        cluster.patch(f"{CORE}/pods/{pod}/status", {"status": {"phase": phase}})
        cluster.wait(lambda: _has_conditions(cluster, f"{BATCH}/jobs/{name}"))  # noqa: B023


def evict_for_priority(cluster: Cluster) -> None:
    """A pod that takes the GPUs of one that matters less."""
    first = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "first"},
        "value": 1000,
    }
    cluster.create("/apis/scheduling.k8s.io/v1/priorityclasses", first)
    tolerant = {"container": resources(GPU, "2"), "tolerations": [{"operator": "Exists"}]}
    cluster.create(f"{APPS}/deployments", manifests.deployment("ousted", replicas=2, pod=tolerant))
    cluster.run_pods("ousted", 2)
    pod = {**tolerant, "priorityClassName": "first"}
    cluster.create(f"{APPS}/deployments", manifests.deployment("ousting", pod=pod))
    cluster.wait(lambda: any(pod["metadata"].get("deletionTimestamp") for pod in cluster.pods("ousted")))
    cluster.bury_pods("ousted")
    cluster.run_pods("ousting", 1)


def lose_a_node(cluster: Cluster) -> None:
    """A node that falls silent; a pod on it that will not wait is marked for deletion."""
    impatient = [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "tolerationSeconds": 0}]
    pod = {"tolerations": impatient, "nodeSelector": {"kubernetes.io/hostname": "node-2"}}
    cluster.create(f"{APPS}/deployments", manifests.deployment("stranded", pod=pod))
    cluster.run_pods("stranded", 1)
    cluster.silent.add("node-2")
    cluster.wait(lambda: any(pod["metadata"].get("deletionTimestamp") for pod in cluster.pods("stranded")))
    cluster.bury_pods("stranded")
    cluster.wait(lambda: cluster.items(f"{CORE}/events", fieldSelector="reason=TaintManagerEviction"))


def statuses(cluster: Cluster) -> dict[str, Any]:
    """The status of objects of other kinds as the controllers left them, by path."""
    paths = (
        f"{AUTOSCALING}/horizontalpodautoscalers/served",
        f"{POLICY}/poddisruptionbudgets/served",
        f"{BATCH}/jobs/fetched",
        f"{BATCH}/jobs/broken",
        f"{CORE}/persistentvolumeclaims/cache",
        f"{CORE}/services/served",
    )
    return {path: cluster.get(path)["status"] for path in paths}


def resources(name: str, amount: str) -> Manifest:
    """What a container asks for and may at most have of one resource."""
    return {"resources": {"requests": {name: amount}, "limits": {name: amount}}}


def claim(name: str) -> Manifest:
    """A claim that nothing provides for."""
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "10Gi"}},
        "storageClassName": "none",
    }
    return _object("v1", "PersistentVolumeClaim", name, spec)


def _object(version: str, kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _has_conditions(cluster: Cluster, path: str) -> bool:
    return bool(cluster.get(path)["status"].get("conditions"))


def _bury_and_count(cluster: Cluster, app: str) -> int:
    cluster.bury_pods(app)
    return len(cluster.pods(app, "Running"))


def _replace_pods(cluster: Cluster, app: str) -> bool:
    """Play the kubelet for one turn of a rolling update; says whether it is over."""
    cluster.run_pods(app, 1)
    cluster.bury_pods(app)
    found = cluster.deployment(app)
    status = found["status"]
    seen = status.get("observedGeneration") == found["metadata"]["generation"]
    return bool(seen and status.get("updatedReplicas") == status["replicas"] == status.get("readyReplicas"))
