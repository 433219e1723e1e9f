"""`llmdash apply`: make what stands in documents so."""

import json
import uuid
from typing import Any

import click

from llmdash.cli import documents, names, waiting
from llmdash.cli.documents import DEPLOYMENT
from llmdash.cli.server import Failed, Row, Server, Target

file_option = click.option(
    "-f", "--file", "file", required=True, metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True),
    help="YAML or JSON; - for standard input.",
)  # fmt: skip


@click.command()
@file_option
@names.project_option
@click.option("-m", "--reason", default="", help="Why; kept with the revision.")
@click.option("--dry-run", is_flag=True, help="Show what would change and do nothing.")
@waiting.wait_option
@waiting.timeout_option
@click.pass_obj
def apply(
    target: Target, file: str, project: str | None, reason: str, dry_run: bool, wait: bool, timeout: int
) -> None:  # fmt: skip
    """Create or revise deployments from documents.

    What is so already is left alone. A document has apiVersion llmdash.io/v1, kind LLMDeployment, metadata with name
    and project, and the spec; `llmdash get deployment NAME -o yaml` prints one.
    """
    found = documents.read(file)
    if other := [one["kind"] for one in found if one["kind"] != DEPLOYMENT]:
        raise Failed(f"A {other[0]} is not applied; `llmdash import` takes it.")
    made = [put(target.server, one, project, reason=reason, dry_run=dry_run) for one in found]
    for row in made if wait else ():
        if row:
            waiting.until_up(target.server, row, timeout)


def put(server: Server, one: Row, project: str | None, *, reason: str, dry_run: bool) -> Row | None:
    """Create or revise one deployment and say which; the row, None when it was only tried."""
    name, where = one["metadata"]["name"], project or one["metadata"].get("project")
    if not isinstance(where, str) or not where:
        raise Failed(f"{name}: in which project? Say metadata.project, or --project.")
    home = server.project(where)
    body = {"spec": documents.with_ids(one["spec"], server, home), "reason": reason}
    known = next(iter(server.every("/deployments", name=name, project=home["id"])), None)
    try:
        if known is None:
            return create(server, home, name, body | policy(one), dry_run=dry_run)
        return revise(server, known, body, policy(one), dry_run=dry_run)
    except Failed as failed:
        raise failed.about(f"{where}/{name}") from failed


def policy(one: Row) -> Row:
    """The drift policy, where the document names one."""
    return {"drift_policy": one["drift_policy"]} if "drift_policy" in one else {}


def create(server: Server, home: Row, name: str, body: Row, *, dry_run: bool) -> Row | None:
    """A new deployment."""
    body |= {"project": home["id"], "name": name}
    if dry_run:
        tried = server("POST", "/deployments", body, params={"dry_run": "true"})
        click.echo(f"{home['name']}/{name} would be created")
        tell([change for change in tried["changes"] if change["after"] not in (None, "", [], {})])
        return None
    made: Row = server("POST", "/deployments", body, Idempotency_Key=uuid.uuid4().hex)
    click.echo(f"{home['name']}/{name} created")
    return made


def revise(server: Server, known: Row, body: Row, wanted: Row, *, dry_run: bool) -> Row | None:
    """Another revision of a deployment; the same spec makes none."""
    title, path = f"{known['project']}/{known['name']}", f"/deployments/{known['id']}"
    tag, made = server.tag(known), known
    try:
        tried = {"dry_run": "true"} if dry_run else {}
        answer = server("PUT", path, body, params=tried, If_Match=tag, Idempotency_Key=uuid.uuid4().hex)
        if dry_run:
            click.echo(f"{title} would be revised")
            tell(answer["changes"])
        else:
            made = answer
            click.echo(f"{title} revision {made['revision']}")
    except Failed as failed:
        if failed.code != "unchanged":
            raise
        click.echo(f"{title} unchanged")
    if wanted and wanted["drift_policy"] != known["drift_policy"]:
        if not dry_run:
            server("POST", f"{path}/drift-policy", wanted)
        click.echo(f"{title} drift policy {'would be' if dry_run else 'is'} {wanted['drift_policy']}")
    return None if dry_run else made


def tell(changes: list[dict[str, Any]]) -> None:
    """Field by field, as it was and as it would be."""
    for change in changes:
        before, after = change["before"], change["after"]
        if before is not None:
            click.secho(f"- {change['field']}: {plain(before)}", fg="red")
        if after is not None:
            click.secho(f"+ {change['field']}: {plain(after)}", fg="green")


def plain(value: Any) -> str:
    """A value as the document would have it: text bare, everything else as JSON, which YAML reads."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
