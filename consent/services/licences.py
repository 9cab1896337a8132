"""Licences: signed, superseded, ended; never edited. No licence, no use.

Whether a person may sign for a holder is said by the storey above; here it is said what a licence
can be. Every version is one ledger entry that holds all that a decision reads of it.
"""

import hashlib
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent import standard_licence
from consent.clock import now
from consent.days import check_within_reach
from consent.errors import Refused
from consent.leaves import moment
from consent.licence_terms import Terms, check_terms
from consent.models import (
    AICompany,
    Artist,
    Catalogue,
    Licence,
    LicenceListing,
    LicenceVersion,
    ModelVersion,
    Party,
    PartyState,
    Recording,
)
from consent.services.acts import open_act, ref_of, take_turn
from consent.services.ledger import Leaf, record, refuse_when_frozen
from consent.services.parties import check
from consent.services.tools import refuse_suspended
from consent.words import UseKind

if TYPE_CHECKING:
    from portal.models import User


@transaction.atomic
def sign_licence(
    *,
    by: "User | None",
    holder: Party,
    company: AICompany,
    title: str,
    uses: Collection[UseKind | str],
    catalogue: Catalogue | str = Catalogue.ALL,
    recordings: Collection[Recording] = (),
    territories: Collection[str] = (),
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    notice_days: int = 0,
    model_versions: Collection[ModelVersion] = (),
    artist_approval: bool = True,
    override_clause: str = "",
    terms: str = "",
) -> LicenceVersion:
    """Sign a new licence between `holder` and `company`; returns its first version.

    It speaks from this commit, or from `starts_at` if that is later. The arguments are those of
    `Terms` (`terms` is its text). Raises `Refused` as `check_terms` does, and `company_suspended`,
    `holder_suspended`; `Frozen` while nothing new may be allowed.
    """
    refuse_when_frozen()
    refuse_suspended(company)
    _refuse_suspended_holder(holder)
    at = now()
    checked = check_terms(
        company=company,
        at=at,
        terms=Terms(
            uses=uses,
            catalogue=catalogue,
            recordings=recordings,
            territories=territories,
            starts_at=starts_at,
            ends_at=ends_at,
            notice_days=notice_days,
            model_versions=model_versions,
            artist_approval=artist_approval,
            override_clause=override_clause,
            text=terms,
        ),
    )
    licence = _open(holder, company, title, at)
    draft = _draft(by, licence, checked, number=1, at=at)
    _record(by, "sign_licence", [draft], at=at)
    return draft.version


@transaction.atomic
def supersede_licence(*, by: "User | None", licence: Licence, terms: Terms) -> LicenceVersion:
    """Sign a new version of `licence`; `terms` are complete, nothing is taken over.

    The version before speaks until this one begins. Raises as `sign_licence` does, and `Refused`
    (`licence_ended`) when there is nothing left to supersede.
    """
    refuse_when_frozen()
    licence = _lock(licence)
    refuse_suspended(licence.company)
    _refuse_suspended_holder(licence.holder)
    at = now()
    last = _last(licence)
    if last.ended and (last.starts_at is None or last.starts_at <= at):
        raise Refused("licence_ended", _("This licence has ended. Sign a new one."))
    checked = check_terms(company=licence.company, terms=terms, at=at)
    draft = _draft(by, licence, checked, number=last.number + 1, at=at)
    _record(by, "supersede_licence", [draft], at=at)
    return draft.version


@transaction.atomic
def end_licence(
    *, by: "User | None", licence: Licence, ends_at: datetime | None = None
) -> LicenceVersion:
    """End `licence` at once, or at `ends_at`; returns the version that says so.

    An end takes no reason and goes through while the ledger is frozen. Ending again what has ended
    changes nothing. Raises `Refused`: `date_out_of_range`, `until_in_the_past`, or `ends_earlier`
    when it ends before `ends_at` anyway.
    """
    licence = _lock(licence)
    at = now()
    last = _last(licence)
    over = last.ended and (last.starts_at is None or last.starts_at <= at)
    if over:
        return last
    if ends_at is not None:
        check_within_reach(ends_at, "ends_at")
        if ends_at <= at:
            raise Refused("until_in_the_past", _("The end lies in the past."), field="ends_at")
        known = last.starts_at if last.ended else last.ends_at
        if known is not None and known <= ends_at:
            raise Refused("ends_earlier", _("It ends before that already."), field="ends_at")
    ended = Terms(
        uses=last.uses,
        catalogue=Catalogue.ALL,  # nothing is covered: the list of the version before needs no copy
        territories=last.territories,
        starts_at=ends_at,
        notice_days=last.notice_days,
        model_versions=ModelVersion.objects.filter(pk__in=last.model_versions).order_by("ref"),
        artist_approval=last.artist_approval,
        override_clause=last.override_clause,
        text=last.terms,
    )
    draft = _draft(by, licence, ended, number=last.number + 1, at=at, is_end=True)
    _record(by, "end_licence", [draft], at=at)
    return draft.version


def offer_standard_licence(
    *,
    by: "User | None",
    artist: Artist,
    uses: Collection[UseKind | str],
    companies: Iterable[AICompany] | None = None,
    territories: Collection[str] = (),
    ends_at: datetime | None = None,
) -> list[LicenceVersion]:
    """Offer the standard licence for the artist's own work, to `companies` or to all of today.

    For who holds her rights herself: no label takes part. It still needs her yes for each use.
    Offering the same again returns what stands; other uses, territories or another end supersede
    it. A company that registers later has no licence until it is offered one.
    Raises as `sign_licence` does; suspended companies are left out when `companies` is None.
    """
    with transaction.atomic():
        refuse_when_frozen()
        _refuse_suspended_holder(artist.party)
        take_turn("standard_licence", artist.pk)
        if companies is None:
            companies = _companies_in_good_standing()
        at = now()
        standing = _standard_licences(artist)
        offered: list[LicenceVersion] = []
        drafts: list[_Draft] = []
        for company in companies:
            refuse_suspended(company)
            terms = check_terms(
                company=company,
                at=at,
                terms=Terms(
                    uses=uses,
                    territories=territories,
                    ends_at=ends_at,
                    notice_days=standard_licence.NOTICE_DAYS,
                    text=standard_licence.TEXT,
                ),
            )
            last = standing.get(company.pk)
            if last is not None and _says(last, terms):
                offered.append(last)
                continue
            if last is not None:
                draft = _draft(by, last.licence, terms, number=last.number + 1, at=at)
            else:
                licence = _open(artist.party, company, standard_licence.TITLE, at)
                draft = _draft(by, licence, terms, number=1, at=at)
            drafts.append(draft)
            offered.append(draft.version)
        if drafts:
            _record(by, "offer_standard_licence", drafts, at=at, artist=artist)
        return offered


def _standard_licences(artist: Artist) -> dict[int, LicenceVersion]:
    """The last version of the standard licence per company, where it has not ended; locked."""
    licences = (
        Licence.objects.select_for_update(no_key=True, of=("self",))
        .select_related("holder", "company__party")
        .filter(holder=artist.pk)
        .order_by("id")
    )
    found = {}
    for licence in licences:
        last = _last(licence)
        if not last.ended and standard_licence.is_standard(last.terms):
            last.licence = licence
            found[licence.company_id] = last
    return found


def _says(version: LicenceVersion, terms: Terms) -> bool:
    said = (version.uses, version.territories, version.ends_at, version.terms)
    return said == (terms.uses, terms.territories, terms.ends_at, terms.text)


def _companies_in_good_standing() -> list[AICompany]:
    stopped = {
        state.party_id
        for state in PartyState.objects.filter(party__aicompany__isnull=False)
        .order_by("party", "-id")
        .distinct("party")
        if state.suspended
    }
    return [
        c for c in AICompany.objects.select_related("party").order_by("slug") if c.pk not in stopped
    ]


def _refuse_suspended_holder(holder: Party) -> None:
    state = PartyState.objects.filter(party=holder).order_by("-id").first()
    if state is None or state.suspended:
        raise Refused("holder_suspended", _("This rights holder is suspended."), field="holder")


def _lock(licence: Licence) -> Licence:
    return (
        Licence.objects.select_for_update(no_key=True, of=("self",))
        .select_related("holder", "company__party")
        .get(pk=licence.pk)
    )


def _last(licence: Licence) -> LicenceVersion:
    return LicenceVersion.objects.filter(licence=licence).order_by("-id")[0]


def _open(holder: Party, company: AICompany, title: str, at: datetime) -> Licence:
    licence = Licence(holder=holder, company=company, title=title, created_at=at)
    check(licence)
    licence.save()
    return licence


@dataclass(frozen=True, slots=True)
class _Draft:
    """A version that is written, and the leaf that is still to be recorded for it."""

    version: LicenceVersion
    leaf: Leaf


def _draft(
    by: "User | None",
    licence: Licence,
    terms: Terms,
    *,
    number: int,
    at: datetime,
    is_end: bool = False,
) -> _Draft:
    version = LicenceVersion(
        licence=licence,
        number=number,
        uses=list(terms.uses),
        catalogue=str(terms.catalogue),
        territories=list(terms.territories),
        starts_at=terms.starts_at,
        ends_at=terms.ends_at,
        notice_days=terms.notice_days,
        model_versions=[m.pk for m in terms.model_versions],
        artist_approval=terms.artist_approval,
        override_clause=terms.override_clause,
        terms=terms.text,
        ended=is_end,
        signed_at=at,
    )
    check(version)
    leaf = Leaf(
        "licence.ended" if is_end else "licence.signed",
        licence_body(
            by,
            version,
            isrcs=[r.isrc for r in terms.recordings],
            models=[m.ref for m in terms.model_versions],
        ),
        subject=licence.holder.ref,
        personal={
            "title": licence.title,
            "override_clause": version.override_clause,
            "terms": version.terms,
        },
    )
    version.entry_id = leaf.id
    version.save()
    LicenceListing.objects.bulk_create(
        [LicenceListing(version=version, recording=r) for r in terms.recordings], batch_size=5_000
    )
    return _Draft(version, leaf)


def _record(
    by: "User | None",
    kind: str,
    drafts: Sequence[_Draft],
    *,
    at: datetime,
    artist: Artist | None = None,
) -> None:
    act = open_act(
        by=by,
        kind=kind,
        at=at,
        entries=len(drafts),
        artist=artist,
        summary={
            "licences": [
                {"licence": str(d.version.licence.ref), "number": d.version.number} for d in drafts
            ]
        },
    )
    record(act.ref, [d.leaf for d in drafts])


def listing_digest(isrcs: Iterable[str]) -> str:
    """SHA-256, hexadecimal, over the sorted ISRCs, each followed by a line feed."""
    text = "".join(f"{isrc}\n" for isrc in sorted(isrcs))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def licence_body(
    by: "User | None",
    version: LicenceVersion,
    *,
    isrcs: Collection[str],
    models: Collection[uuid.UUID],
) -> dict[str, Any]:
    """The body of `licence.signed` and `licence.ended`: all that decisions read of a version.

    `isrcs` are those on its list, `models` the refs of the model versions that it names. The
    clause of an override and the wording of the terms stand beside the leaf, sealed.
    """
    return {
        "by": ref_of(by),
        "licence": str(version.licence.ref),
        "number": version.number,
        "holder": str(version.licence.holder.ref),
        "company": str(version.licence.company.party.ref),
        "uses": version.uses,
        "catalogue": version.catalogue,
        "listed": {"count": len(isrcs), "sha256": listing_digest(isrcs)},
        "territories": version.territories,
        "from": moment(version.starts_at),
        "until": moment(version.ends_at),
        "notice_days": version.notice_days,
        "model_versions": sorted(str(m) for m in models),
        "artist_approval": version.artist_approval,
        "ended": version.ended,
    }
