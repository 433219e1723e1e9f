"""What the builders need to know of one Revision."""

from dataclasses import dataclass, field

from deployments.runtimes import RUNTIMES, Runtime
from deployments.spec import Spec


@dataclass(frozen=True)
class Workload:
    """One Revision on its way to become objects.

    `secrets` holds the values of the spec's secret variables in clear, by variable name; `secret_checksum` is a
    keyed digest of them that tells nothing and changes when they do.
    """

    installation: str
    deployment_id: str
    name: str
    namespace: str
    project: str
    revision: int
    revision_id: str
    spec: Spec
    secrets: dict[str, bytes] = field(default_factory=dict, repr=False)
    secret_checksum: str = ""

    @property
    def runtime(self) -> Runtime:
        """How this runtime is started."""
        return RUNTIMES[self.spec.runtime]

    @property
    def port(self) -> int:
        """The container's port."""
        return self.spec.port or self.runtime.port

    @property
    def config_name(self) -> str:
        """The ConfigMap that holds the files."""
        return f"{self.name}-files"

    @property
    def secret_name(self) -> str:
        """The Secret that holds the secret variables."""
        return f"{self.name}-env"
