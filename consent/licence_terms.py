"""What a licence can say, and what it cannot. Looks at nothing but what it is given."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_lazy as _

from consent.days import check_within_reach
from consent.errors import Refused
from consent.models import AICompany, Catalogue, ModelVersion, Recording
from consent.territories import normalise_territories
from consent.words import PERSONAL_KINDS, UseKind

MAX_NOTICE_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class Terms:
    """What a licence version says. All moments are UTC.

    `territories` empty means the world, `model_versions` empty every version of the company's
    tools, `starts_at` None at once, `ends_at` None until it is ended. `recordings` are the list of
    a catalogue `list` or `all_except`. Without `artist_approval` the clause that gives the holder
    the right to decide alone is named in `override_clause`, and published.
    """

    uses: Collection[UseKind | str]
    catalogue: Catalogue | str = Catalogue.ALL
    recordings: Collection[Recording] = ()
    territories: Collection[str] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    notice_days: int = 0
    model_versions: Collection[ModelVersion] = ()
    artist_approval: bool = True
    override_clause: str = ""
    text: str = ""


def check_terms(*, company: AICompany, terms: Terms, at: datetime) -> Terms:
    """Return `terms` in stored form: sorted, each thing once. Writes nothing.

    Raises `Refused` with the field that is wrong: `unknown_use`, `unknown_territory`,
    `from_in_the_past`, `until_in_the_past`, `until_before_from`, `listing_missing`,
    `listing_needless`, `model_version_of_another`, `notice_days`, `override_clause`,
    `override_needless`, `artist_always_decides`, `date_out_of_range`.
    """
    uses = sorted({str(u) for u in terms.uses})
    for use in uses:
        if use not in UseKind.values:
            raise Refused(
                "unknown_use",
                _("“%(use)s” is not a use kind."),
                field="uses",
                params={"use": use[:40]},
            )
    if not uses:
        raise Refused("licence_uses", _("Name at least one use kind."), field="uses")
    if terms.catalogue not in Catalogue.values:
        raise Refused("unknown_catalogue", _("Choose which recordings."), field="catalogue")
    _check_days(terms, at)
    recordings = list({r.pk: r for r in terms.recordings}.values())
    if terms.catalogue == Catalogue.ALL and recordings:
        raise Refused(
            "listing_needless",
            _("All recordings are licensed: leave the list empty, or choose another catalogue."),
            field="recordings",
        )
    if terms.catalogue != Catalogue.ALL and not recordings:
        raise Refused("listing_missing", _("Name the recordings."), field="recordings")
    models = list({m.pk: m for m in terms.model_versions}.values())
    if any(m.tool.company_id != company.pk for m in models):
        raise Refused(
            "model_version_of_another",
            _("A model version on the list belongs to another company."),
            field="model_versions",
        )
    clause = terms.override_clause.strip()
    if terms.artist_approval and clause:
        raise Refused(
            "override_needless",
            _("A clause is named only where the holder decides without the artist."),
            field="override_clause",
        )
    if not terms.artist_approval:
        if not clause:
            raise Refused(
                "override_clause",
                _("A licence that does without the artist's yes must name the clause."),
                field="override_clause",
            )
        if PERSONAL_KINDS.intersection(uses):
            raise Refused(
                "artist_always_decides",
                _(
                    "Voice, style, name and image always need the artist's own yes, whatever a"
                    " contract says. Sign them in a licence of their own."
                ),
                field="uses",
            )
    return Terms(
        uses=uses,
        catalogue=str(terms.catalogue),
        recordings=sorted(recordings, key=lambda r: r.isrc),
        territories=normalise_territories(terms.territories),
        starts_at=terms.starts_at,
        ends_at=terms.ends_at,
        notice_days=terms.notice_days,
        model_versions=sorted(models, key=lambda m: str(m.ref)),
        artist_approval=terms.artist_approval,
        override_clause=clause,
        text=terms.text,
    )


def _check_days(terms: Terms, at: datetime) -> None:
    check_within_reach(terms.starts_at, "starts_at")
    check_within_reach(terms.ends_at, "ends_at")
    if terms.starts_at is not None and terms.starts_at <= at:
        raise Refused(
            "from_in_the_past",
            _("A licence begins when it is signed, or later. Leave the beginning empty for now."),
            field="starts_at",
        )
    if terms.ends_at is not None and terms.ends_at <= at:
        raise Refused("until_in_the_past", _("The end lies in the past."), field="ends_at")
    if terms.starts_at and terms.ends_at and terms.ends_at <= terms.starts_at:
        raise Refused(
            "until_before_from", _("The end must come after the beginning."), field="ends_at"
        )
    if not 0 <= terms.notice_days <= MAX_NOTICE_DAYS:
        raise Refused(
            "notice_days", _("A notice period has between 0 and 365 days."), field="notice_days"
        )
