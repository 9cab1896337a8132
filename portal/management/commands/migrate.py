"""`migrate`, as the owner of the database."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate


class Command(migrate.Command):
    """Django's `migrate` with the owner's login, which alone may change tables."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Use the owner's login unless another one is asked for."""
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate. Raises ``CommandError`` when the owner's address is not given."""
        if options["database"] not in settings.DATABASES:
            raise CommandError(
                "Migrations run as the owner of the database: set DATABASE_OWNER_URL."
            )
        super().handle(*args, **options)
