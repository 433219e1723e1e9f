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
    password = commands.add_parser("admin-password", help="set a new password for the admin and print it")
    password.add_argument("--user", default="admin", metavar="NAME", help="for somebody else (default: admin)")
    commands.add_parser("manage", help="Django's commands: `llmdash manage migrate` and so on", add_help=False)
    commands.add_parser("version", help="print the version")
    return parser


if __name__ == "__main__":
    sys.exit(main())
