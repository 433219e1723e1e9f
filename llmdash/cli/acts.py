"""Acts on one deployment: scale, stop, start, restart, roll back, delete."""

import sys
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from llmdash.cli import names, waiting
from llmdash.cli.get import place
from llmdash.cli.output import document, format_option
from llmdash.cli.server import Failed, Row, Server, Target

Command = Callable[..., None]


def act(command: Command) -> Command:
    """What every act takes: a name, a project, a reason, and whether to wait."""

    @click.pass_obj
    @wraps(command)
    def taken(target: Target, /, name: str, project: str | None, **more: Any) -> None:
        command(target.server, place(name, project), **more)

    reason = click.option("-m", "--reason", default="", help="Why; kept with the revision.")
    options = (
        format_option,
        waiting.timeout_option,
        waiting.wait_option,
        reason,
        names.project_option,
        names.deployment,
    )
    for option in options:
        taken = option(taken)
    return taken


def do(server: Server, name: str, what: str, body: Row, *, wait: bool, timeout: int, shape: str) -> Row:
    """Ask for it once, however often the request travels, and say what came of it: in a line, or as the deployment."""
    row = server.deployment(name)
    title = f"{row['project']}/{row['name']}"
    try:
        made: Row = server("POST", f"/deployments/{row['id']}/{what}", body, Idempotency_Key=uuid.uuid4().hex)
    except Failed as failed:
        if failed.code != "unchanged":
            raise
        said, made = "unchanged", server("GET", f"/deployments/{row['id']}")
    else:
        said = f"revision {made['revision']}"
    if shape == "table":
        click.echo(f"{title} {said}")
    else:
        document(made, shape)
    if wait:
        waiting.until_up(server, made, timeout)
    return made


@click.command()
@act
@click.option("-r", "--replicas", type=click.IntRange(min=0), required=True, help="How many.")
def scale(server: Server, name: str, replicas: int, reason: str, **how: Any) -> None:
    """Ask for another number of replicas."""
    made = do(server, name, "scale", {"replicas": replicas, "reason": reason}, **how)
    if not made["spec"].get("running", True):
        click.echo(f"It is stopped: its replicas come with `llmdash start {name}`.", err=True)


@click.command()
@act
def stop(server: Server, name: str, reason: str, **how: Any) -> None:
    """Take all replicas away; their number is remembered."""
    do(server, name, "stop", {"reason": reason}, **how)


@click.command()
@act
def start(server: Server, name: str, reason: str, **how: Any) -> None:
    """Bring the remembered replicas back."""
    do(server, name, "start", {"reason": reason}, **how)


@click.command()
@act
def restart(server: Server, name: str, reason: str, **how: Any) -> None:
    """Replace every pod, one after the other."""
    do(server, name, "restart", {"reason": reason}, **how)


@click.command()
@act
@click.option(
    "--to", "number", type=click.IntRange(min=1), help="Which revision; the one before the newest without it."
)
def rollback(server: Server, name: str, number: int | None, reason: str, **how: Any) -> None:
    """Make an earlier revision the newest one again."""
    newest = server.deployment(name)["revision"]
    if number is None and newest == 1:
        raise Failed("There is only one revision; there is nothing to go back to.")
    body = {"revision": number or newest - 1, "reason": reason}
    do(server, name, "rollback", body, **how)


@click.command()
@names.deployment
@names.project_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-m", "--reason", default="", help="Why; kept in the audit.")
@waiting.wait_option
@waiting.timeout_option
@click.pass_obj
def delete(target: Target, name: str, project: str | None, yes: bool, reason: str, wait: bool, timeout: int) -> None:
    """Delete a deployment with all its objects."""
    server = target.server
    row = server.deployment(place(name, project))
    title, tag = f"{row['project']}/{row['name']}", server.tag(row)
    if not yes:
        if not sys.stdin.isatty():
            raise Failed("Nobody can be asked here: --yes deletes without asking.")
        click.echo(f"{title} on {row['cluster']}: {row['ready']} of {row['wanted']} replicas serve.", err=True)
        if click.prompt("Type the name to delete it", err=True) != row["name"]:
            raise Failed("That is not its name; nothing is deleted.")
    server("DELETE", f"/deployments/{row['id']}", {"reason": reason}, If_Match=tag)
    click.echo(f"{title} is being deleted")
    if wait:
        waiting.until_gone(server, row, timeout)
