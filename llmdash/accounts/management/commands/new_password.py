"""`manage.py new_password [NAME]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from llmdash.accounts.models import User
from llmdash.accounts.services import set_new_password


class Command(BaseCommand):
    help = "Give a person a new random password and print it; their open sessions end."
    requires_system_checks: list[str] = []  # whoever is locked out gets in, whatever else is wrong

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="?", default="admin")

    def handle(self, *args: Any, **options: Any) -> None:
        username = options["username"]
        try:
            password = set_new_password(username=username)
        except User.DoesNotExist as error:
            raise CommandError(f"There is no user named {username!r}.") from error
        self.stdout.write(f"{username}: {password}")
