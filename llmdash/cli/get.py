"""`llmdash get`: what is there, and how it is."""

from collections.abc import Callable
from typing import Any

import click

from llmdash.cli import documents, names
from llmdash.cli.output import Column, Row, ago, document, format_option, show
from llmdash.cli.server import NOT_THERE, Failed, Server, Target


def gpus(cluster: Row) -> str:
    """Used and all GPUs, MIG slices left out; a stale number is no number."""
    rows: list[dict[str, Any]] = cluster["capacity"].get("gpus", [])
    whole = [row for row in rows if "/mig-" not in row["resource"]]
    if cluster["stale"] or not cluster["nodes_known"]:
        return "unknown"
    return f"{sum(row['used'] for row in whole)}/{sum(row['total'] for row in whole)}"


def connection(cluster: Row) -> str:
    """How it is reached; of what was reached and went silent, that."""
    word = str(cluster["connection"])
    return "not heard lately" if cluster["stale"] and word == "connected" else word


def why(entry: Row) -> str:
    """The reason of an act; of what llmdash did by itself, the field and who had changed it."""
    detail = entry["detail"]
    parts = [detail.get("field"), detail.get("rival") and f"of {detail['rival']}", detail.get("was")]
    return str(detail.get("reason") or " ".join(str(part) for part in parts if part))


DEPLOYMENTS: list[Column] = [
    ("PROJECT", lambda row: row["project"]),
    ("NAME", lambda row: row["name"]),
    ("HEALTH", lambda row: row["health"]),
    ("READY", lambda row: f"{row['ready']}/{row['wanted']}"),
    ("GPUS", lambda row: row["gpus"]),
    ("LLM", lambda row: row["llm"]),
    ("CLUSTER", lambda row: row["cluster"]),
    ("REVISION", lambda row: row["revision"]),
    ("AGE", lambda row: ago(row["created_at"])),
]
PROJECTS: list[Column] = [
    ("NAME", lambda row: row["name"]),
    ("CLUSTER", lambda row: row["cluster"]),
    ("NAMESPACE", lambda row: row["namespace"]),
    ("ROLE", lambda row: row["role"]),
    ("AGE", lambda row: ago(row["created_at"])),
]
CLUSTERS: list[Column] = [
    ("NAME", lambda row: row["name"]),
    ("CONNECTION", connection),
    ("HEARD", lambda row: ago(row["seen_at"])),
    ("VERSION", lambda row: row["kubernetes_version"]),
    ("GPUS USED", gpus),
]
PODS: list[Column] = [
    ("NAME", lambda row: row["name"]),
    ("STAGE", lambda row: row["stage"]),
    ("NODE", lambda row: row["node"]),
    ("GPUS", lambda row: row["gpus"]),
    ("RESTARTS", lambda row: row["restarts"]),
    ("AGE", lambda row: ago(row["created_at"])),
    ("MESSAGE", lambda row: row["message"] or row["reason"]),
]
REVISIONS: list[Column] = [
    ("REVISION", lambda row: row["revision"]),
    ("ACT", lambda row: row["action"]),
    ("AUTHOR", lambda row: row["author"]),
    ("OUTCOME", lambda row: row["outcome"]),
    ("AGE", lambda row: ago(row["created_at"])),
    ("REASON", lambda row: row["reason"]),
]
MEMBERS: list[Column] = [
    ("MEMBER", lambda row: row["user"] or row["group"]),
    ("KIND", lambda row: "person" if row["user"] else "group"),
    ("ROLE", lambda row: row["role"]),
]
SECRETS: list[Column] = [
    ("NAME", lambda row: row["name"]),
    ("VERSION", lambda row: row["version"]),
    ("AGE", lambda row: ago(row["created_at"])),
]
AUDIT: list[Column] = [
    ("AGE", lambda row: ago(row["at"])),
    ("WHO", lambda row: row["actor"]),
    ("ACT", lambda row: row["action"]),
    ("KIND", lambda row: row["target_kind"]),
    ("NAME", lambda row: row["target"]),
    ("PROJECT", lambda row: row["project"]),
    ("REASON", why),
]
NEWEST = 50  # acts of the audit; the page and the API have all
MOST = 1000  # rows of one answer
KINDS = ("deployments", "projects", "clusters", "pods", "revisions", "members", "secrets", "audit")
SHORT = {"deployment": "deployments", "project": "projects", "cluster": "clusters", "pod": "pods"}


def kind_of(context: click.Context, parameter: click.Parameter, said: str) -> str:
    """The kind, also where it is written in the singular."""
    kind = SHORT.get(said, said)
    if kind not in KINDS:
        raise click.BadParameter(f"there are {', '.join(KINDS)}")
    return kind


@click.command()
@click.argument(
    "kind", callback=kind_of, metavar="KIND",
    shell_complete=lambda _context, _parameter, typed: [kind for kind in KINDS if kind.startswith(typed)],
)  # fmt: skip
@click.argument("name", required=False, shell_complete=names.deployments)
@names.project_option
@format_option
@click.pass_obj
def get(target: Target, kind: str, name: str | None, project: str | None, shape: str) -> None:
    """List what there is.

    KIND is deployments, projects or clusters; pods or revisions, of the deployment NAME; members or secrets, of the
    project NAME; or audit, the newest acts, on the deployment NAME, deleted ones too, or on all that you may see.

    With `-o yaml` a deployment is the document that `llmdash apply` takes.
    """
    server = target.server
    if kind == "deployments" and name and shape != "table":
        document(documents.of(server, server.deployment(place(name, project))), shape)
        return
    rows, columns = READERS[kind](server, name, project)
    show(rows, columns, shape, kind)


def place(name: str, project: str | None) -> str:
    """PROJECT/NAME where the project is known."""
    return f"{project}/{name}" if project and "/" not in name else name


def of_deployments(server: Server, name: str | None, project: str | None) -> tuple[list[Row], list[Column]]:
    if name:
        return [server.deployment(place(name, project))], DEPLOYMENTS
    return list(server.every("/deployments", **({"project": project} if project else {}))), DEPLOYMENTS


def of_projects(server: Server, name: str | None, project: str | None) -> tuple[list[Row], list[Column]]:
    return named(list(server.every("/projects")), name or project), PROJECTS


def of_clusters(server: Server, name: str | None, project: str | None) -> tuple[list[Row], list[Column]]:
    return named(list(server.every("/clusters")), name), CLUSTERS


def of_pods(server: Server, name: str | None, project: str | None) -> tuple[list[Row], list[Column]]:
    found = server.deployment(place(needed(name), project))
    return server("GET", f"/deployments/{found['id']}/pods")["results"], PODS


def of_revisions(server: Server, name: str | None, project: str | None) -> tuple[list[Row], list[Column]]:
    found = server.deployment(place(needed(name), project))
    return list(server.every(f"/deployments/{found['id']}/revisions")), REVISIONS


def of_members(server: Server, name: str | None, project: str | None) -> tuple[list[Row], list[Column]]:
    found = server.project(needed(name or project, "a project"))
    return list(server.every(f"/projects/{found['id']}/members")), MEMBERS


def of_secrets(server: Server, name: str | None, project: str | None) -> tuple[list[Row], list[Column]]:
    found = server.project(needed(name or project, "a project"))
    return list(server.every(f"/projects/{found['id']}/secrets")), SECRETS


def of_audit(server: Server, name: str | None, project: str | None) -> tuple[list[Row], list[Column]]:
    """By name, since a deployment that was deleted has acts, too."""
    where, _, last = (name or "").rpartition("/")
    wanted = {"project": where or project or "", "kind": "deployment" if name else "", "q": last}
    narrowed = {key: value for key, value in wanted.items() if value}
    found = server("GET", "/audit", params={"limit": MOST if name else NEWEST} | narrowed)["results"]
    rows = [row for row in found if row["target"] == last][:NEWEST] if name else found
    if name and not rows:
        raise Failed(f"No act is known on a deployment {name} that you may see.", NOT_THERE)
    return rows, AUDIT


Reader = Callable[[Server, str | None, str | None], tuple[list[Row], list[Column]]]
READERS: dict[str, Reader] = {
    "deployments": of_deployments,
    "projects": of_projects,
    "clusters": of_clusters,
    "pods": of_pods,
    "revisions": of_revisions,
    "members": of_members,
    "secrets": of_secrets,
    "audit": of_audit,
}


def needed(name: str | None, what: str = "a deployment") -> str:
    """The name, which this kind cannot do without."""
    if not name:
        raise click.UsageError(f"Name {what}.")
    return name


def named(rows: list[Row], name: str | None) -> list[Row]:
    """The row of that name; all without one."""
    if not name:
        return rows
    found = [row for row in rows if row["name"] == name]
    if not found:
        raise Failed(f"There is no {name} that you may see.", 3)
    return found
