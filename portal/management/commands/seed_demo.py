"""`seed_demo`: fill an empty database with a year of stories."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from tqdm import tqdm

from consent.errors import Refused
from portal.demo.seed import EVENTS, tell


class Command(BaseCommand):
    help = (
        "Fill an empty database with a demo: two labels, fourteen artists, 300 recordings, six AI "
        "tools, and a year of answers, uses and statements up to today. The demo's ledger says "
        "that it is one, for ever. Refuses a database that has anything in it."
    )

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--events",
            type=int,
            default=EVENTS,
            metavar="N",
            help="about how many uses are reported in the twelve months (default: %(default)s)",
        )

    def handle(self, *args: Any, events: int, **options: Any) -> None:
        if not 100 <= events <= 1_000_000:
            raise CommandError(_("Ask for between 100 and 1000000 uses."))
        started = time.monotonic()
        # On a terminal only; where there is none, one line at the end says what was done.
        bar = tqdm(
            desc=_("Telling a year"),
            unit="scene",
            leave=False,
            disable=True if options["verbosity"] == 0 else None,
        )

        def show(done: int, everything: int) -> None:
            bar.total = everything
            bar.update(done - bar.n)

        try:
            with bar:
                stage = tell(events=events, progress=show)
        except Refused as error:
            raise CommandError(error.sentence) from error
        self.stdout.write(
            _(
                "  %(artists)d artists, %(recordings)d recordings, %(tools)d AI tools"
                " and a year of uses, in %(seconds).0f s."
            )
            % {
                "artists": len(stage.artists),
                "recordings": len(stage.recordings),
                "tools": len(stage.tools),
                "seconds": time.monotonic() - started,
            }
        )
