"""What kubelets say: transcribed from `pkg/kubelet` of the Kubernetes that is recorded, since none runs here.

`{…}` stands for what differs. Reasons repeat: `Failed` and `BackOff` are said of images and of containers.
"""

from typing import NamedTuple


class Said(NamedTuple):
    """One line that a kubelet writes into an Event."""

    type: str
    reason: str
    message: str


PULLED = "Successfully pulled image {image:q} in {duration} ({waited} including waiting). Image size: {bytes} bytes."
UNHEALTHY = "Container {container} failed liveness probe, will be restarted"
NOT_STARTED = "Container {container} failed startup probe, will be restarted"
EVENTS = (
    Said("Normal", "Pulling", "Pulling image {image:q}"),
    Said("Normal", "Pulled", PULLED),
    Said("Normal", "Pulled", "Container image {image:q} already present on machine"),
    Said("Warning", "Failed", "Failed to pull image {image:q}: {error}"),
    Said("Warning", "Failed", "Error: ErrImagePull"),
    Said("Warning", "Failed", "Error: ImagePullBackOff"),
    Said("Normal", "BackOff", "Back-off pulling image {image:q}"),
    Said("Normal", "Created", "Container created"),
    Said("Normal", "Started", "Container started"),
    Said("Warning", "Failed", "Error: {error}"),
    Said("Normal", "Killing", "Stopping container {container}"),
    Said("Normal", "Killing", UNHEALTHY),
    Said("Normal", "Killing", NOT_STARTED),
    Said("Warning", "BackOff", "Back-off restarting failed container {container} in pod {pod}_{namespace}({uid})"),
    Said("Warning", "Unhealthy", "{Startup|Readiness|Liveness} probe failed: {output}"),
    Said("Warning", "FailedMount", "Unable to attach or mount volumes: {error}"),
    Said("Warning", "FailedCreatePodSandBox", "Failed to create pod sandbox: {error}"),
    Said("Warning", "Evicted", "The node was low on resource: {resource}. "),
    Said("Normal", "NodeReady", "Node {node} status is now: NodeReady"),
    Said("Normal", "NodeNotReady", "Node {node} status is now: NodeNotReady"),
)
# Why a container waits, in its status: reason -> message.
WAITING = {
    "ContainerCreating": "",
    "PodInitializing": "",
    "ErrImagePull": "{error}",
    "ImagePullBackOff": "Back-off pulling image {image:q}: {previous error}",
    "CrashLoopBackOff": "back-off {delay} restarting failed container={container} pod={pod}_{namespace}({uid})",
    "CreateContainerConfigError": 'secret "{name}" not found',
    "CreateContainerError": "{error}",
    "InvalidImageName": "Failed to apply default image tag {image:q}: {error}",
}


def messages() -> dict[str, object]:
    """As JSON has it."""
    return {"events": [said._asdict() for said in EVENTS], "waiting": WAITING}
