"""Commands of the machine that llmdash runs on."""

import os

import click
from django.core.management import execute_from_command_line
from django.db import OperationalError

from llmdash import __version__


def run(*arguments: str) -> None:
    """Django's command line, from any folder. It leaves by SystemExit when the command fails."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llmdash.settings")
    try:
        execute_from_command_line(["llmdash manage", *arguments])
    except OperationalError as error:
        sentence = "LLMDASH_STATE_DIR or DATABASE_URL must name the installation's."
        raise click.ClickException(f"The database cannot be used: {str(error).splitlines()[0]}. {sentence}") from error


@click.command("admin-password")
@click.option("--user", default="admin", show_default=True, metavar="NAME", help="Whose.")
def admin_password(user: str) -> None:
    """Set a new password for a person and print it."""
    run("new_password", user)


@click.command("cluster-access")
@click.option(
    "--namespace", multiple=True, metavar="NS",
    help="Rights in this namespace only; may be given again. Without it: in the whole cluster.",
)  # fmt: skip
@click.option("--no-token", is_flag=True, help="Without the Secret of a token that does not end.")
def cluster_access(namespace: tuple[str, ...], no_token: bool) -> None:
    """Print the rights that llmdash needs in a cluster, for kubectl apply."""
    run("cluster_access", *(f"--namespace={one}" for one in namespace), *(["--no-token"] if no_token else []))


@click.group()
def audit() -> None:
    """Look after the audit."""


@audit.command()
def verify() -> None:
    """Check that no entry was changed, removed or put in later.

    The digest of the newest entry is printed. Kept elsewhere, it shows when the end of the audit was cut off.
    """
    run("verify_audit")


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}, add_help_option=False
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(arguments: tuple[str, ...]) -> None:
    """Django's commands: `llmdash manage migrate` and so on."""
    run(*arguments)


@click.command()
def version() -> None:
    """Print the version."""
    click.echo(__version__)
