"""An object of somebody else's that stands where one of a deployment's should: what it is, and what adopting means."""

from dataclasses import dataclass

from deployments.advice import STRANGE
from deployments.models import Deployment


@dataclass(frozen=True)
class Stranger:
    """The object. A Deployment's selector is immutable and chooses others' pods, so that none can be adopted."""

    kind: str
    name: str
    namespace: str

    @property
    def adoptable(self) -> bool:
        return self.kind != "Deployment"

    @property
    def why_not(self) -> str:
        """Why it cannot be adopted, "" when it can."""
        return "" if self.adoptable else "A Deployment cannot be adopted: its selector is immutable."


def stranger(deployment: Deployment) -> Stranger | None:
    """The object that keeps the newest revision from being applied, when one does."""
    if deployment.deleted_at or deployment.last_error.get("reason") != "Stranger":
        return None
    found = STRANGE.fullmatch(str(deployment.last_error.get("message")))
    return Stranger(*found.groups()) if found else None


def consequence(deployment: Deployment, found: Stranger) -> str:
    """What adopting does, to read before it is done."""
    return (
        f"{found.kind} {found.name} in namespace {found.namespace} of cluster {deployment.project.cluster.name} was not"
        f" made by llmdash. The fields that revision {deployment.desired} sets are changed in it, and it gets llmdash's"
        " labels; its other fields stay. When this deployment is deleted the object is left in place as it is then,"
        " without those labels."
    )
