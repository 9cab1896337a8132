"""`make reset`: delete the demo."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import servers


class Command(BaseCommand):
    help = "Delete the demo's databases, keys and files. The next “make run” begins anew."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if servers.named_elsewhere():
            raise CommandError(
                "DATABASE_URL names a server of yours; this deletes only what it started itself."
            )
        home = servers.Home.of_this_checkout()
        try:
            servers.wipe(home)
        except servers.ServersError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("The demo is gone. “make run” makes a new one.")
