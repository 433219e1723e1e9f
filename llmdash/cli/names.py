"""Names as arguments, which the shell completes by asking the server."""

from typing import Any

import click

from llmdash.cli.server import Failed, Server, Target

QUICK = 3  # seconds that a person waits for a completion


def deployments(context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    """Names that begin so; those of several projects with their project."""
    found = [(row["project"], row["name"]) for row in asked(context, "/deployments")]
    names = [name for _, name in found]
    told = [name if names.count(name) == 1 else f"{project}/{name}" for project, name in found]
    return [name for name in told if name.startswith(typed)]


def projects(context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    """Projects that begin so."""
    return [row["name"] for row in asked(context, "/projects") if row["name"].startswith(typed)]


def asked(context: click.Context, path: str) -> list[dict[str, Any]]:
    """The first rows of a list; nothing when the server does not answer."""
    top = context.find_root()
    target = Target(*(str(top.params.get(name) or "") for name in ("server", "token_file", "ca_file")))
    try:
        server: Server = target.server
        server.client.timeout = QUICK
        return list(server("GET", path, params={"page_size": 200})["results"])
    except Failed:
        return []


deployment = click.argument("name", shell_complete=deployments)
project_option = click.option("-p", "--project", shell_complete=projects, metavar="PROJECT", help="Of this project.")
