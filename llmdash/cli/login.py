"""`llmdash login` and `llmdash logout`."""

import os
import sys

import click

from llmdash.cli import kept
from llmdash.cli.server import Target


@click.command()
@click.argument("url", required=False)
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input instead of asking for it.")
@click.pass_obj
def login(target: Target, url: str | None, token_stdin: bool) -> None:
    """Remember a server and your token for it."""
    target.url = url or target.url or kept.read().get("server", "")
    if not target.url:
        raise click.UsageError("Which server? llmdash login https://llmdash.example.org")
    os.environ["LLMDASH_TOKEN"] = (
        sys.stdin.readline().strip()
        if token_stdin
        else click.prompt(f"API token, from {target.url.rstrip('/')}/accounts/tokens/", hide_input=True).strip()
    )
    server = target.server
    projects = list(server.every("/projects"))
    kept.write({"server": server.url, "token": os.environ["LLMDASH_TOKEN"], "ca_file": target.ca_file})
    click.echo(f"{server.url} takes the token; you see {len(projects)} project{'' if len(projects) == 1 else 's'}.")


@click.command()
def logout() -> None:
    """Forget the server and the token. The token stays valid until it is revoked on your page."""
    kept.place().unlink(missing_ok=True)
