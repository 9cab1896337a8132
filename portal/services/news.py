"""From the ledger to the people it concerns.

Whatever door a change came in by (a page, the admin, the API, a command), its entry is in the
ledger, gapless and in the order of commits. Reading it from where one stopped tells everybody
once, and misses nothing; how far one has come commits together with the notices. Who did something
is not told of it.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from django.db import transaction
from django.db.models import Max

from consent import clock
from consent.models import (
    Act,
    Artist,
    LedgerEntry,
    LicenceVersion,
    Party,
    Permission,
    PermissionRequest,
    Withdrawal,
)
from consent.queries.licences import artists_touched_by, licences_touching
from consent.queries.overrides import overrides_begun
from consent.queries.staff_reasons import reasons_given
from consent.words import Stance
from portal.models import NewsPosition, NoticeKind
from portal.roles import Scope
from portal.services.ends import tell_ended
from portal.services.notices import notify_artist, notify_label
from royalties.models import Period, Statement
from royalties.words import PeriodState

ENTRIES_AT_ONCE: Final = 500
READER: Final = "ledger"

type Teller = Callable[[LedgerEntry, dict[str, Any]], None]


def tell_news() -> int:
    """Tell everything that was written since the last time; returns how many entries it was."""
    told = 0
    while True:
        read, more = _tell_some()
        told += read
        if not more:
            return told


@transaction.atomic
def _tell_some() -> tuple[int, bool]:
    NewsPosition.objects.get_or_create(name=READER)
    position = NewsPosition.objects.select_for_update().get(name=READER)
    top = LedgerEntry.objects.aggregate(top=Max("seq"))["top"] or 0
    entries = list(
        LedgerEntry.objects.filter(seq__gt=position.seq, seq__lte=top, kind__in=_TELLERS).order_by(
            "seq"
        )[:ENTRIES_AT_ONCE]
    )
    acts: set[object] = set()
    for entry in entries:
        if entry.kind in _ONCE_PER_ACT:
            if entry.act in acts:
                continue
            acts.add(entry.act)
        _TELLERS[entry.kind](entry, json.loads(entry.body))
    more = len(entries) == ENTRIES_AT_ONCE
    position.seq = entries[-1].seq if more else top
    position.save(update_fields=["seq"])
    return len(entries), more


# --- Answers -----------------------------------------------------------------------------


def _answered(entry: LedgerEntry, body: dict[str, Any]) -> None:
    """One act, one notice, however many recordings it was about."""
    act = _act(entry)
    artist = _artist(body["artist"])
    on_recordings = body["recording"] is not None
    if act is not None and act.by is not None:
        notify_artist(
            artist=artist,
            kind=NoticeKind.ANSWERED_FOR_YOU,
            key=f"answered {entry.act}",
            params={
                "who": str(act.by.ref),
                "use": body["use"],
                "stance": body["stance"],
                "recordings": act.entries if on_recordings else None,
            },
            but=act.by,
            at=entry.recorded_at,
        )
    if body["stance"] == Stance.DENY and not on_recordings:
        _object(artist, body["use"], entry)


def _object(artist: Artist, use: str, entry: LedgerEntry) -> None:
    """Deliver a no to the holders whose licences do without her answer."""
    for version in licences_touching(artist).select_related("licence__holder", "licence__company"):
        if version.artist_approval or use not in version.uses:
            continue
        notify_label(
            label=version.licence.holder,
            artist=artist,
            kind=NoticeKind.OBJECTION,
            key=f"objection {entry.act} {version.licence.ref}",
            params={"company": version.licence.company.party.name, "uses": [use]},
            at=entry.recorded_at,
        )


def _revoked(entry: LedgerEntry, body: dict[str, Any]) -> None:
    notify_artist(
        artist=_artist(body["artist"]),
        kind=NoticeKind.REVOKED_BY_STAFF,
        key=f"revoked {entry.id}",
        params={"use": body["use"], "reason": reasons_given([entry.act]).get(entry.act, "")},
        at=entry.recorded_at,
    )


# --- Licences ----------------------------------------------------------------------------


def _signed(entry: LedgerEntry, body: dict[str, Any]) -> None:
    version = LicenceVersion.objects.select_related(
        "licence__holder", "licence__company__party"
    ).get(licence__ref=body["licence"], number=body["number"])
    licence = version.licence
    act = _act(entry)
    artists = artists_touched_by(version)
    for artist in artists:
        if artist.pk == licence.holder_id and version.artist_approval:
            continue  # she signed it herself, and her own yes is asked all the same
        notify_artist(
            artist=artist,
            kind=NoticeKind.LICENCE_SIGNED if version.artist_approval else NoticeKind.OVERRIDDEN,
            key=f"licence {licence.ref} {version.number}",
            params={
                "holder": licence.holder.name,
                "company": licence.company.party.name,
                "uses": version.uses,
            },
            but=None if act is None else act.by,
            at=entry.recorded_at,
        )
    if not version.artist_approval:
        _object_to(version, artists, entry, key=f"objection {entry.id}")


def _claimed(entry: LedgerEntry, body: dict[str, Any]) -> None:
    """A claim lets a licence that was signed before speak over artists whom it did not reach."""
    act = _act(entry)
    for version, artists in overrides_begun(entry.act):
        licence = version.licence
        for artist in artists:
            notify_artist(
                artist=artist,
                kind=NoticeKind.OVERRIDDEN,
                key=f"claimed {entry.act} {licence.ref} {version.number}",
                params={
                    "holder": licence.holder.name,
                    "company": licence.company.party.name,
                    "uses": version.uses,
                },
                but=None if act is None else act.by,
                at=entry.recorded_at,
            )
        _object_to(version, artists, entry, key=f"objection {entry.act} {licence.ref}")


def _object_to(
    version: LicenceVersion, artists: Iterable[Artist], entry: LedgerEntry, *, key: str
) -> None:
    """Deliver what these artists have refused to the holder whose licence does without them."""
    for artist, uses in _refused(artists, version.uses).items():
        notify_label(
            label=version.licence.holder,
            artist=artist,
            kind=NoticeKind.OBJECTION,
            key=f"{key} {artist.party.ref}",
            params={"company": version.licence.company.party.name, "uses": uses},
            at=entry.recorded_at,
        )


def _licence_ended(entry: LedgerEntry, body: dict[str, Any]) -> None:
    version = LicenceVersion.objects.select_related(
        "licence__holder", "licence__company__party"
    ).get(licence__ref=body["licence"], number=body["number"])
    act = _act(entry)
    tell_ended(version, by=None if act is None else act.by)


def _refused(artists: Iterable[Artist], uses: Iterable[str]) -> dict[Artist, list[str]]:
    """Who of these artists says no, in general, to which of these uses."""
    by_key = {artist.pk: artist for artist in artists}
    found: dict[Artist, list[str]] = {}
    latest = (
        Permission.objects.filter(artist__in=by_key, use__in=list(uses), scope="*/*")
        .order_by("artist_id", "use", "-pk")
        .distinct("artist_id", "use")
    )
    for answer in latest:
        if answer.stance == Stance.DENY:
            found.setdefault(by_key[answer.artist_id], []).append(answer.use)
    return found


# --- Requests and withdrawals --------------------------------------------------------------


def _requested(entry: LedgerEntry, body: dict[str, Any]) -> None:
    request = PermissionRequest.objects.select_related("artist__party", "tool__company__party").get(
        ref=body["request"]
    )
    notify_artist(
        artist=request.artist,
        kind=NoticeKind.REQUESTED,
        key=f"request {request.ref}",
        params={
            "company": request.tool.company.party.name,
            "tool": request.tool.name,
            "use": request.use,
        },
        at=entry.recorded_at,
    )


def _acknowledged(entry: LedgerEntry, body: dict[str, Any]) -> None:
    withdrawal = Withdrawal.objects.select_related(
        "artist__party", "company__party", "permission"
    ).get(ref=body["withdrawal"])
    notify_artist(
        artist=withdrawal.artist,
        kind=NoticeKind.WITHDRAWAL_ACKNOWLEDGED,
        # Once for each company, however many model versions it confirms.
        key=f"acknowledged {withdrawal.permission_id} {withdrawal.company_id}",
        params={
            "company": withdrawal.company.party.name,
            "use": withdrawal.permission.use,
        },
        at=entry.recorded_at,
    )


def tell_overdue_withdrawals() -> int:
    """Tell artists whose no a company has not confirmed in time; returns how many notices.

    That something did not happen is in no entry: call this from the clock.
    """
    now = clock.now()
    late = (
        Withdrawal.objects.filter(acknowledged_at=None, acknowledge_by__lte=now)
        .select_related("artist__party", "company__party", "permission")
        .order_by("permission_id", "company_id", "pk")
        .distinct("permission_id", "company_id")
    )
    return sum(
        notify_artist(
            artist=one.artist,
            kind=NoticeKind.WITHDRAWAL_OVERDUE,
            key=f"overdue {one.permission_id} {one.company_id}",
            params={
                "company": one.company.party.name,
                "use": one.permission.use,
                "due": one.acknowledge_by.isoformat(),
            },
            at=one.acknowledge_by,
        )
        for one in late
    )


# --- Statements --------------------------------------------------------------------------


def tell_statements() -> int:
    """Tell artists of statements that were published; returns how many notices.

    A month is published in one transaction, so a month is told in one, and then never again.
    """
    told = NewsPosition.objects.filter(name__startswith="statements ").values_list(
        "name", flat=True
    )
    months = set(told)
    count = 0
    for period in Period.objects.filter(state=PeriodState.PUBLISHED).order_by("starts_on"):
        if f"statements {period}" not in months:
            count += _tell_month(period)
    return count


@transaction.atomic
def _tell_month(period: Period) -> int:
    name = f"statements {period}"
    __, first = NewsPosition.objects.get_or_create(name=name)
    if not first:
        return 0
    parties = Statement.objects.filter(period=period).values("party")
    artists = Artist.objects.filter(pk__in=parties).select_related("party").order_by("pk")
    return sum(
        notify_artist(
            artist=artist,
            kind=NoticeKind.STATEMENT_PUBLISHED,
            key=name,
            params={"period": str(period)},
            scope=Scope.SEE_MONEY,
            at=period.published_at,
        )
        for artist in artists
    )


# --- Details -----------------------------------------------------------------------------


def _act(entry: LedgerEntry) -> Act | None:
    return Act.objects.select_related("by").filter(pk=entry.act).first()


def _artist(ref: str) -> Artist:
    return Artist.objects.select_related("party").get(
        party=Party.objects.filter(ref=ref).values("pk")[:1]
    )


_ONCE_PER_ACT: Final = frozenset(
    {
        "claim.made",
        "claim.changed",
        "permission.answered",
        "permission.withdrawn",
        "permission.cleared",
        "permission.undone",
    }
)
_TELLERS: Final[dict[str, Teller]] = {
    **dict.fromkeys(_ONCE_PER_ACT, _answered),
    "claim.made": _claimed,
    "claim.changed": _claimed,
    "permission.revoked": _revoked,
    "permission.invalidated": _revoked,
    "licence.signed": _signed,
    "licence.ended": _licence_ended,
    "request.made": _requested,
    "withdrawal.acknowledged": _acknowledged,
}
