"""Seal the ledger now, instead of at the clock's next tick."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from consent.services.sealing import SealError, seal_ledger


class Command(BaseCommand):
    help = "Sign a checkpoint of everything that was recorded, and send it to the sinks."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sealed = seal_ledger()
        except SealError as error:
            raise CommandError(f"{error}. Nothing was signed; run audit_ledger.") from error
        if sealed is None:
            self.stdout.write("Nothing to seal.")
        else:
            self.stdout.write(sealed.note, ending="")
