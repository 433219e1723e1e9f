"""What a person can do next, by what stands in the way. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from deployments import scheduling
from deployments.choices import BY_OTHERS, Connection, Health, Problem, Stage

BY_PROBLEM = {
    Problem.WAIT: "Edit the deployment, or have the cluster's admin lift what stands in the way; it is tried hourly.",
    Problem.BACK_OFF: "Nothing to do: it is tried again by itself.",
    Problem.CLUSTER: "A platform admin has to mend the cluster's credentials, certificate or address.",
    Problem.CONTESTED: "Find out who changes it, then take over, or set the drift policy to leave.",
    Problem.NEWER: "Choose what holds: what runs, or what the database knows.",
    Problem.POISON: "Edit the deployment to try again, and look at the workers' log.",
}
OF_A_DELETION = BY_PROBLEM | {
    Problem.WAIT: "Have the cluster's admin lift what stands in the way; it is tried hourly.",
    Problem.POISON: "Look at the workers' log, and have a platform admin remove the objects that are left.",
}
BY_REFUSAL = {
    "FieldConflict": "Take over, edit the deployment to what the cluster has, or choose another drift policy.",
    "Removed": "Take over to have it made again, or delete the deployment.",
}
# As `kube.apply` says it; a refusal keeps words only.
STRANGE = re.compile(r"(Deployment|Service|ConfigMap|Secret) (\S+) exists in namespace (\S+) and is not ours\.")
STRANGER = "Adopt it, remove it, or deploy under another name."
STRANGE_DEPLOYMENT = "Remove the other Deployment, or deploy under another name."  # a selector is immutable
BY_HEALTH = {
    Health.UNKNOWN: "Look at its cluster: what is not heard of cannot be judged.",
    Health.FAILING: "Look at its pods and their logs.",
    Health.WAITING: "Free GPUs, choose another GPU type, or ask for fewer replicas.",
    Health.DEGRADED: "Look at the pods that do not serve.",
}
NOT_MATCHED = "Choose another GPU type or GPU resource, or other node labels: no node carries what is asked for."
IMAGE = "Correct the image's name or tag, or give the namespace the right to pull it."
TOO_LARGE = "Ask for less on each replica, or have larger nodes added to the cluster."
LESS = "Ask for less {} on each replica, or free some on the nodes."
GPU_MEMORY = "Give it more or larger GPUs, or choose a smaller LLM, a smaller precision or a shorter context."
LOG = "Read the log of its pod: it says why the container ended."
# By the reason of a pod that fails, as the kubelet and `monitoring.pods` name it.
BY_REASON = {
    "ImagePullBackOff": IMAGE,
    "ErrImagePull": IMAGE,
    "InvalidImageName": "Correct the image's name.",
    "CrashLoopBackOff": LOG,
    "Restarting": LOG,
    "Error": LOG,
    "OOMKilled": "Raise its memory limit, or choose a shorter context or a smaller LLM.",
    "CreateContainerConfigError": "Look at its events: they name the Secret or ConfigMap that is missing.",
    "NodeLost": "Look at the node; Kubernetes makes its pods anew elsewhere when it gives the node up.",
    "Evicted": "Look at its events: the node ran short of memory or of disk.",
}
BY_CONNECTION = {
    Connection.NEVER: "Nothing to do yet: the watcher connects by itself.",
    Connection.CONNECTED: "Look at the watcher: it has not written anything for a while.",
    Connection.UNREACHABLE: "Look at the network and at the API server; llmdash tries again by itself.",
    Connection.REJECTED: "A platform admin has to give new credentials.",
    Connection.CERTIFICATE: "A platform admin has to give the right CA, or the API server a valid certificate.",
    Connection.WRONG: "A platform admin has to correct the address.",
    Connection.OTHER: "A platform admin has to correct the address, or accept the cluster that answers now.",
}


def of_problem(kind: Problem, error: Mapping[str, Any], *, deleting: bool) -> str:
    """What helps a deployment that is not applied, or not removed, for this error of its row."""
    if deleting:
        return OF_A_DELETION[kind]
    if error.get("reason") == "Stranger" and (found := STRANGE.fullmatch(str(error.get("message")))):
        return STRANGE_DEPLOYMENT if found[1] == "Deployment" else STRANGER
    return BY_REFUSAL.get(str(error.get("reason")), BY_PROBLEM[kind]) if kind == Problem.WAIT else BY_PROBLEM[kind]


def can_take_over(kind: Problem, error: Mapping[str, Any]) -> bool:
    """Whether a person may let llmdash win: what others change or removed stands in the way, not a refusal."""
    return kind == Problem.CONTESTED or (kind == Problem.WAIT and error.get("reason") in BY_OTHERS)


def why_pending(pods: Sequence[dict[str, Any]]) -> str:
    """What the scheduler says of the first of these pods that waits for a node."""
    return next((pod["message"] for pod in pods if pod["stage"] == Stage.PENDING and pod.get("message")), "")


def of_scheduling(message: str) -> str:
    """What helps where no node takes a pod; "" where it is GPUs that others hold."""
    if scheduling.is_mismatch(message):
        return NOT_MATCHED
    if scheduling.is_too_large(message):
        return TOO_LARGE
    found = scheduling.lacking(message)
    return "" if not found or any("/" in name for name in found) else LESS.format(" and ".join(found))


def of_health(health: Health, pods: Sequence[dict[str, Any]]) -> str:
    """What helps a deployment whose pods are these (`monitoring.status`), "" where nothing is amiss. The failure of
    the newest revision's pods counts before that of older ones."""
    step = BY_HEALTH.get(health, "")
    if health in (Health.WAITING, Health.DEGRADED) and (message := why_pending(pods)):
        step = of_scheduling(message) or BY_HEALTH[Health.WAITING]
    failed = [pod for pod in pods if pod["stage"] == Stage.FAILED] if step and health != Health.UNKNOWN else []
    failed.sort(key=lambda pod: not pod["current"])
    if failed and "CUDA out of memory" in failed[0].get("said", ""):
        return GPU_MEMORY
    return BY_REASON.get(failed[0]["reason"], step) if failed else step
