"""What llmdash needs to be allowed in a cluster, and what it is allowed: the permission report of a connection test."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from typing_extensions import TypedDict

from deployments.choices import Connection as Word
from deployments.kube.access import allowed, cluster_uid, version
from deployments.kube.client import ITSELF, Connection
from deployments.kube.errors import KubeError
from deployments.kubeconfig import Access
from deployments.manifests import access as needed

AT_ONCE = 8  # questions to an API server
MOST_NAMESPACES = 10  # that are asked about one by one


@dataclass(frozen=True)
class Right:
    """A right, what it is for and what comes of lacking it. `must` is one without which nothing can be deployed."""

    what: str
    why: str
    lacking: str
    rule: dict[str, Any]
    must: bool = False
    in_namespaces: bool = True  # whether it is of use in single namespaces, too


ACCOUNTS, ROLES, BINDINGS, NAMESPACES = needed.PROVISION
WATCH, WATCH_APPS = needed.FOLLOW
RIGHTS = (
    Right(
        "List and watch nodes", "Capacity: GPUs, and which are taken",
        "Capacity is shown as unknown.", needed.NODES, in_namespaces=False,
    ),
    Right(
        "List and watch pods, services, configmaps and events", "The status of what was deployed",
        "Nothing can be said of the pods.", WATCH, must=True,
    ),
    Right(
        "List and watch deployments and replicasets", "The status of what was deployed",
        "Nothing can be said of a rollout.", WATCH_APPS, must=True,
    ),
    Right(
        "Act as the serviceaccounts of a project", "Everything done for a person is done as one of them",
        "Nothing can be deployed.", needed.ACT, must=True,
    ),
    Right(
        "Name the person who acts", "The person's name in the API server's audit log",
        "Nothing can be deployed: each call carries the name.", needed.ACTOR, must=True, in_namespaces=False,
    ),
    Right(
        "Make a project's serviceaccounts", "A new project's roles",
        "An admin of the cluster has to make them before the first deployment.", ACCOUNTS,
    ),
    Right(
        "Make a project's roles", "A new project's roles",
        "An admin of the cluster has to make them before the first deployment.", ROLES,
    ),
    Right(
        "Grant a project's roles", "A new project's roles",
        "An admin of the cluster has to make them before the first deployment.", BINDINGS,
    ),
    Right(
        "Read and create namespaces", "Projects that make theirs; whether this is still the same cluster",
        "Namespaces have to exist; another cluster at this address would not be noticed.", NAMESPACES,
        in_namespaces=False,
    ),
)  # fmt: skip


class Found(TypedDict):
    """One right in a report. `where` is "everywhere", "nowhere", or the namespaces in which it is held."""

    what: str
    why: str
    lacking: str
    must: bool
    held: bool
    where: str
    refused: list[str]


class Report(TypedDict):
    """What a connection test found. `at` is ISO 8601 in UTC; `ok` says whether deployments can be made."""

    at: str
    ok: bool
    connection: str
    message: str
    version: str
    identity: str
    rights: list[Found]


def review(connection: Connection, namespaces: Iterable[str]) -> list[Found]:
    """Ask for each right; one that is not held everywhere, in these namespaces, too. Raises KubeError."""
    chosen = list(dict.fromkeys(namespaces))[:MOST_NAMESPACES]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda right: judge(connection, right, chosen), RIGHTS))


def judge(connection: Connection, right: Right, namespaces: list[str]) -> Found:
    """Whether a right is held, and where."""
    refused = refusals(connection, right.rule)
    where = "nowhere" if refused else "everywhere"
    if refused and right.in_namespaces and namespaces:
        lacking = {namespace: refusals(connection, right.rule, namespace) for namespace in namespaces}
        held = [namespace for namespace, found in lacking.items() if not found]
        if held:
            where = ", ".join(held)
            refused = [f"{verb} in {namespace}" for namespace, found in lacking.items() for verb in found]
    return {
        "what": right.what, "why": right.why, "lacking": right.lacking, "must": right.must,
        "held": not refused, "where": where, "refused": refused[:20],
    }  # fmt: skip


def refusals(connection: Connection, rule: dict[str, Any], namespace: str = "") -> list[str]:
    """What of a rule is refused: "watch pods". Of several names the last is asked for, the admin's."""
    name = rule.get("resourceNames", [""])[-1]
    found = []
    for path in rule["resources"]:
        resource, _, subresource = path.partition("/")
        for verb in rule["verbs"]:
            attributes = {
                "verb": verb, "group": rule["apiGroups"][0], "resource": resource, "subresource": subresource,
                "namespace": namespace, "name": name,
            }  # fmt: skip
            if not allowed(connection, attributes, identity=ITSELF):
                found.append(f"{verb} {path}")
    return found


def test(access: Access, namespaces: Iterable[str]) -> Report:
    """Connect, and ask for the version, the identity and the rights. What goes wrong stands in the report."""
    report: Report = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "ok": False, "connection": Word.CONNECTED, "message": "",
        "version": "", "identity": "", "rights": [],
    }  # fmt: skip
    try:
        connection = Connection(access)
        report["version"] = version(connection)
        report["identity"] = cluster_uid(connection)
        report["rights"] = review(connection, namespaces)
    except KubeError as error:
        return report | {"connection": error.connection, "message": error.message}
    except (ValueError, OSError):  # a certificate or key that OpenSSL does not take
        sentence = "The certificates or credentials cannot be used."
        return report | {"connection": Word.REJECTED, "message": sentence}
    report["ok"] = all(right["held"] or right["where"] != "nowhere" for right in report["rights"] if right["must"])
    return report
