"""`import_ern FILE…`: read DDEX release messages into the catalogue."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from tqdm import tqdm

from consent.catalogue.problems import MessageRefused
from consent.errors import Refused
from consent.services.catalogue import ImportReport, import_file
from portal.models import User


class Command(BaseCommand):
    help = (
        "Read DDEX ERN release messages (4.2, 4.3, 4.3.2) into the catalogue, and say line by line "
        "what was skipped and why. Each file is taken whole or not at all; a file that is refused "
        "stops no other. The same file twice changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a release message, XML")
        parser.add_argument("--by", metavar="EMAIL", help="the person who does this, if one")

    def handle(self, *args: Any, **options: Any) -> None:
        by = somebody(options["by"])
        names: list[str] = options["files"]
        refused = 0
        bar = tqdm(  # on a terminal only
            names,
            unit="file",
            desc=_("Reading"),
            disable=True if len(names) < 2 or options["verbosity"] == 0 else None,
        )
        for name in bar:
            bar.clear()
            try:
                with Path(name).open("rb") as file:
                    report = import_file(by=by, file=file)
            except OSError as error:
                self._say(self.style.ERROR(f"{name}: {error.strerror}"))
                refused += 1
            except (MessageRefused, Refused) as error:
                self._say(self.style.ERROR(f"{name}: {error.sentence}"))
                refused += 1
            else:
                self._report(name, report)
        if refused:
            raise CommandError(
                _("%(refused)d of %(all)d files could not be taken.")
                % {"refused": refused, "all": len(names)}
            )

    def _report(self, name: str, report: ImportReport) -> None:
        counts = report.counts
        if report.already_read:
            self._say(_("%(file)s: read before, nothing changed.") % {"file": name})
            return
        self._say(f"{name}: {report.sender}, {report.message_id}")
        for label, new, updated, unchanged in (
            (
                _("recordings"),
                counts.recordings_new,
                counts.recordings_updated,
                counts.recordings_unchanged,
            ),
            (
                _("releases"),
                counts.releases_new,
                counts.releases_updated,
                counts.releases_unchanged,
            ),
        ):
            self._say(
                _("  %(label)s: %(new)d new, %(updated)d updated, %(unchanged)d as before")
                % {"label": label, "new": new, "updated": updated, "unchanged": unchanged}
            )
        self._say(
            _("  claims: %(claims)d, parties: %(parties)d, ledger entries: %(leaves)d")
            % {
                "claims": counts.claims,
                "parties": counts.parties_new,
                "leaves": counts.leaves,
            }
        )
        for problem in report.problems:
            self._say(
                _("  line %(line)d, %(severity)s: %(sentence)s")
                % {
                    "line": problem.line,
                    "severity": problem.severity.value,
                    "sentence": problem.sentence,
                }
            )

    def _say(self, text: str) -> None:
        self.stdout.write(text)


def somebody(email: str | None) -> User | None:
    """The person with this address; None without one. Raises `CommandError` for nobody's."""
    if not email:
        return None
    found = User.objects.filter(email=email).first()
    if found is None:
        raise CommandError(_("Nobody signs in as %(email)s.") % {"email": email})
    return found
