"""Judging a deployment in one line."""

from deployments.choices import Health
from monitoring.objects import Event, Loose, Pod
from monitoring.status import Intent, Seen, Status, status
from tests.monitoring.samples import HASH, rolled, said_by_the_scheduler

NO_GPU = said_by_the_scheduler("too-many-gpus").replace(  # of nodes that would do, were they empty
    "Preemption is not helpful for scheduling", "No preemption victims found for incoming pod"
)
THREE = Intent(wanted=3, gpus=1, gpu_name="H100")
ONE = Intent(wanted=1, gpus=1, gpu_name="H100")


def judged(
    intent: Intent, *pods: Pod, live: Loose | None = None, events: dict[str, list[Event]] | None = None,
    lost: set[str] | None = None,
) -> Status:  # fmt: skip
    """The status while the Deployment object stands in the cluster."""
    return status(intent, Seen(live or rolled("ReplicaSetUpdated"), pods, HASH, events or {}, lost or set()))


def says(found: Status, health: Health, sentence: str) -> None:
    assert (found.health, found.sentence) == (health, sentence)


def absent(intent: Intent) -> Status:
    """The status while the cluster has nothing of it."""
    return status(intent, Seen(None))
