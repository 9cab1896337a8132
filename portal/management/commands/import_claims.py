"""`import_claims FILE`: read rights claims from a CSV file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from consent.catalogue.claims_csv import COLUMNS, ClaimsRefused
from consent.errors import Refused
from consent.identifiers import Scheme, is_valid, normalise
from consent.models import Party
from consent.services.claims_import import import_claims_csv
from portal.management.commands.import_ern import somebody


class Command(BaseCommand):
    help = (
        "Read rights claims from a CSV file, and say line by line what could not be taken and why. "
        f"Columns: {', '.join(COLUMNS)}. Docs: consent/catalogue/claims_csv.py. "
        "The same file twice changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the claims, CSV in UTF-8")
        parser.add_argument(
            "--sender",
            required=True,
            metavar="PARTY",
            help="who delivered the file: a DPID, ISNI or IPI, or the exact name of one party",
        )
        parser.add_argument("--by", metavar="EMAIL", help="the person who does this, if one")

    def handle(self, *args: Any, **options: Any) -> None:
        by, sender, name = somebody(options["by"]), _party(options["sender"]), options["file"]
        try:
            report = import_claims_csv(
                by=by, sender=sender, data=Path(name).read_bytes(), name=Path(name).name
            )
        except OSError as error:
            raise CommandError(f"{name}: {error.strerror}") from error
        except (ClaimsRefused, Refused) as error:
            raise CommandError(f"{name}: {error.sentence}") from error
        if report.already_read:
            self.stdout.write(_("%(file)s: read before, nothing changed.") % {"file": name})
            return
        counts = report.counts
        self.stdout.write(
            _(
                "%(file)s: %(made)d claims made, %(changed)d changed, %(unchanged)d as before, "
                "%(refused)d lines refused, %(linked)d recordings got a work"
            )
            % {
                "file": name,
                "made": counts.made,
                "changed": counts.changed,
                "unchanged": counts.unchanged,
                "refused": counts.refused,
                "linked": counts.works_linked,
            }
        )
        for problem in report.problems:
            self.stdout.write(
                _("  line %(line)d, %(severity)s: %(sentence)s")
                % {
                    "line": problem.line,
                    "severity": problem.severity.value,
                    "sentence": problem.sentence,
                }
            )


def _party(text: str) -> Party:
    """The party with this identifier or exact name. Raises `CommandError` unless there is one."""
    found = Party.objects.none()
    for scheme in (Scheme.DPID, Scheme.ISNI, Scheme.IPI_BASE, Scheme.IPI_NAME):
        if is_valid(scheme, text):
            found = Party.objects.filter(
                identifiers__scheme=scheme,
                identifiers__value=normalise(scheme, text),
                identifiers__is_valid=True,
            )
            break
    parties = list((found or Party.objects.filter(name=text))[:2])
    if len(parties) != 1:
        raise CommandError(
            _("“%(text)s” is not one party here; give its DPID, ISNI or IPI.") % {"text": text}
        )
    return parties[0]
