"""Names, labels and selectors, for those who build objects and those who watch them. Pure."""

import re
from collections.abc import Iterable
from typing import Any

from deployments.manifests.workload import Workload

OWN = "llmdash.io/"
MANAGED_BY = "app.kubernetes.io/managed-by"
PART_OF = "app.kubernetes.io/part-of"
INSTALLATION = "llmdash.io/installation"
DEPLOYMENT_ID = "llmdash.io/deployment-id"
REVISION = "llmdash.io/revision"
REVISION_ID = "llmdash.io/revision-id"
SPEC = "llmdash.io/spec"
CONFIG_CHECKSUM = "llmdash.io/config-checksum"
SECRET_CHECKSUM = "llmdash.io/secret-checksum"  # noqa: S105  (an annotation's name)
RESTARTED_AT = "llmdash.io/restarted-at"
ACTOR = "llmdash.io/actor"  # the extra of an impersonation that names the person
MANAGER = "llmdash"
# https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go: a template's hash is a number spelled in
# ten of these characters, a pod's end is five of any.
HASH = "[456789bcdf]{1,10}"
RANDOM = "[bcdfghjklmnpqrstvwxz2456789]{5}"
UNCUT = 46  # the longest name of a Deployment whose pods' names are not cut before their random end
POD_OF = f"(.{{1,{UNCUT}}})-{HASH}-{RANDOM}|(.{{{UNCUT + 1},}})-{HASH}-?{RANDOM}"  # one group is the Deployment's name


def labels(workload: Workload) -> dict[str, str]:
    """The labels of every object that we apply."""
    return of_pods(workload) | {PART_OF: workload.project}


def of_pods(workload: Workload) -> dict[str, str]:
    """The labels of the pods: none that a person may change, for another label is another template, and all pods
    would restart. `app` is what people type after `kubectl get pods -l`."""
    return {
        "app": workload.name,
        "app.kubernetes.io/name": workload.runtime.name,
        "app.kubernetes.io/instance": workload.name,
        "app.kubernetes.io/component": workload.runtime.component,
        MANAGED_BY: MANAGER,
        INSTALLATION: workload.installation,
        DEPLOYMENT_ID: workload.deployment_id,
    }


def of_installation(installation: str) -> dict[str, str]:
    """The labels of what belongs to no deployment: a project's roles, llmdash's own account."""
    return {MANAGED_BY: MANAGER, INSTALLATION: installation}


def are_of_installation(metadata: dict[str, Any], installation: str) -> bool:
    """Whether an object carries all of these."""
    return of_installation(installation).items() <= (metadata.get("labels") or {}).items()


def selector(workload: Workload) -> dict[str, str]:
    """What selects the pods: immutable in a Deployment, so only what never changes."""
    return {"app": workload.name, DEPLOYMENT_ID: workload.deployment_id}


def pod_names(name: str) -> str:
    """A regular expression, to be anchored at both ends, for what the Deployment controller calls the pods of a
    Deployment of this name. It holds no pod of another whose name begins alike."""
    dash = "-" if len(name) <= UNCUT else "-?"
    return f"{re.escape(name)}-{HASH}{dash}{RANDOM}"


def pod_names_of(names: Iterable[str]) -> str:
    """The same for several Deployments. It may hold a pod of another, of which POD_OF tells whose it is."""
    return f"(?:{'|'.join(map(re.escape, sorted(names)))})-{HASH}-?{RANDOM}"


def metadata(workload: Workload, name: str) -> dict[str, Any]:
    """Name, labels and the revision. The revision stands here and never in a pod template: what has not changed
    must not restart. Its id tells it from one of the same number in a database that was restored."""
    return {
        "name": name,
        "namespace": workload.namespace,
        "labels": labels(workload),
        "annotations": {REVISION: str(workload.revision), REVISION_ID: workload.revision_id},
    }


def ours(metadata: dict[str, Any], installation: str, deployment_id: str) -> bool:
    """Whether an object carries the owner labels of this installation and deployment."""
    found = metadata.get("labels") or {}
    return found.get(INSTALLATION) == installation and found.get(DEPLOYMENT_ID) == deployment_id


def annotation(metadata: dict[str, Any], key: str) -> str:
    """An annotation; "" when there is none."""
    return str((metadata.get("annotations") or {}).get(key, ""))


def revision(metadata: dict[str, Any]) -> int:
    """The revision an object was applied for; 0 when it tells none."""
    return number(annotation(metadata, REVISION))


def number(text: str) -> int:
    """A revision annotation, which anybody may write; 0 when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
