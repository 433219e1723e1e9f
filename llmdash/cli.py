"""The console script `llmdash`."""

import argparse
import os
import sys
from collections.abc import Sequence

from django.core.management import execute_from_command_line

from llmdash import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; 0 when it worked, 1 when it did not, 2 when it was not understood."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["manage"]:
        return manage(*given[1:])
    options = _parser().parse_args(given)
    if options.command == "admin-password":
        return manage("new_password", options.user)
    if options.command == "cluster-access":
        chosen = [f"--namespace={namespace}" for namespace in options.namespace]
        return manage("cluster_access", *chosen, *(["--no-token"] if options.no_token else []))
    print(__version__)
    return 0


def manage(*arguments: str) -> int:
    """Django's command line, from any folder. It leaves by SystemExit when the command fails."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llmdash.settings")
    execute_from_command_line(["llmdash manage", *arguments])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="llmdash", description="Deploy and run large language models on Kubernetes.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    password = commands.add_parser("admin-password", help="set a new password for a person and print it")
    password.add_argument("--user", default="admin", metavar="NAME", help="whose (default: admin)")
    access = commands.add_parser(
        "cluster-access", help="print the rights llmdash needs in a cluster, for kubectl apply"
    )
    access.add_argument(
        "--namespace", action="append", default=[], metavar="NS",
        help="rights in this namespace only; may be given again (default: in the whole cluster)",
    )  # fmt: skip
    access.add_argument("--no-token", action="store_true", help="without the Secret of a token that does not end")
    commands.add_parser("manage", help="Django's commands: `llmdash manage migrate` and so on", add_help=False)
    commands.add_parser("version", help="print the version")
    return parser


if __name__ == "__main__":
    sys.exit(main())
