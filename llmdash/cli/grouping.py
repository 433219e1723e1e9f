"""A group of commands whose help lists them under headings."""

from typing import Any

import click


class Grouped(click.Group):
    """`add(command, heading)` in place of `add_command`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headings: dict[str, list[str]] = {}

    def add(self, command: click.Command, heading: str) -> None:
        """Add a command under a heading of the help."""
        self.add_command(command)
        self.headings.setdefault(heading, []).append(str(command.name))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for names in self.headings.values() for name in names]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by heading, in the order in which they were added."""
        for heading, names in self.headings.items():
            with formatter.section(heading):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(70)) for name in names])
