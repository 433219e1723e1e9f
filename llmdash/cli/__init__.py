"""The console script `llmdash`: commands of this machine, and commands that ask a server by its REST API.

Exit codes: 0 done, 1 refused or failed, 2 not understood, 3 not there, 4 somebody else was first, 5 not in time,
6 it came to nothing, 7 the server does not answer.
"""

import sys
from collections.abc import Sequence

import click

from llmdash.cli import acts, apply, completion, get, local, login, logs, transfer
from llmdash.cli.grouping import Grouped
from llmdash.cli.server import Target

SERVER = "With a server"
LOCAL = "On this machine"


@click.group(cls=Grouped, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--server", envvar="LLMDASH_SERVER", metavar="URL", help="The server. [env: LLMDASH_SERVER]")
@click.option(
    "--token-file", envvar="LLMDASH_TOKEN_FILE", type=click.Path(dir_okay=False), metavar="FILE",
    help="A file with the API token. [env: LLMDASH_TOKEN_FILE; LLMDASH_TOKEN holds a token itself]",
)  # fmt: skip
@click.option(
    "--ca-file", envvar="LLMDASH_CA_FILE", type=click.Path(dir_okay=False), metavar="FILE",
    help="Trust the certificate authorities in this file only. [env: LLMDASH_CA_FILE]",
)  # fmt: skip
@click.pass_context
def cli(context: click.Context, server: str | None, token_file: str | None, ca_file: str | None) -> None:
    """Deploy and run large language models on Kubernetes.

    `llmdash login URL` remembers a server and its token, made on your page *API tokens*. A deployment is named NAME, or
    PROJECT/NAME where several projects have one of that name.
    """
    context.obj = Target(server or "", token_file or "", ca_file or "")


for command in (
    get.get, apply.apply, acts.scale, acts.stop, acts.start, acts.restart, acts.rollback, acts.delete, logs.logs,
    logs.events, transfer.export, transfer.import_, transfer.secret, login.login, login.logout,
):  # fmt: skip
    cli.add(command, SERVER)
for command in (
    local.admin_password,
    local.cluster_access,
    local.audit,
    local.manage,
    completion.completion,
    local.version,
):
    cli.add(command, LOCAL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code."""
    try:
        cli.main(None if arguments is None else list(arguments), prog_name="llmdash", standalone_mode=False)
    except click.exceptions.Exit as left:
        return int(left.exit_code)
    except click.ClickException as error:
        error.show()
        return int(error.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        return 130
    except BrokenPipeError:  # `llmdash … | head`
        sys.stderr.close()
    return 0
