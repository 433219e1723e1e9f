"""`llmdash audit verify`: whether the audit is as it was written."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deployments import chain

MOST = 50  # faults that are printed


class Command(BaseCommand):
    help = "Check the chain of the audit: entries that were changed, removed or put in later are named."

    def handle(self, *args: Any, **options: Any) -> None:
        found = chain.verify()
        for fault in found.faults[:MOST]:
            self.stderr.write(fault)
        if found.faults:
            count = f"{len(found.faults)} faults in {found.entries} entries"
            raise CommandError(f"{count}: the audit is not as it was written.")
        older = f" {found.older} are from before there was a chain." if found.older else ""
        self.stdout.write(f"{found.entries} entries are as they were written.{older}")
        for digest in found.ends:
            self.stdout.write(f"newest {digest}")
