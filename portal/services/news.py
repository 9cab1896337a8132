"""From the ledger to the people it concerns.

Whatever door a change came in by (a page, the admin, the API, a command), its entry is in the
ledger, gapless and in the order of commits. Reading it from where one stopped tells everybody
once, and misses nothing; how far one has come commits together with the notices. Who did something
is not told of it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from consent import clock
from consent.models import (
    Act,
    Artist,
    LedgerEntry,
    LicenceVersion,
    Party,
    PermissionRequest,
    Withdrawal,
)
from consent.queries.staff_reasons import reasons_given
from consent.queries.touching import acts_that_begin
from portal.models import NewsPosition, NoticeKind
from portal.roles import Scope
from portal.services.answers import tell_answered
from portal.services.billing import tell_moved
from portal.services.contested import Claims, tell_contested
from portal.services.ends import tell_ended
from portal.services.none_of_it import ACT as CLAIM_NOTHING
from portal.services.none_of_it import tell_none_of_it
from portal.services.notices import notify_artist
from portal.services.reach import Reached, tell_more
from portal.services.texts import text_changed
from royalties.models import Period, Statement
from royalties.words import PeriodState

ENTRIES_AT_ONCE: Final = 500
READER: Final = "ledger"
CLOCK: Final = "days that begin"
CLOCK_EVERY: Final = timedelta(minutes=5)
"""How often it is asked what began: by no index, as of all claims few are given for later."""

type Teller = Callable[[LedgerEntry, dict[str, Any], Read], None]


@dataclass(frozen=True, slots=True)
class Read:
    """What is asked about in one go for all entries that were read.

    What licences reach, and which claims contradict each other.
    """

    reached: Reached
    claims: Claims


def tell_news(*, at: datetime | None = None) -> int:
    """Tell everything that was written since the last time, and what has begun since.

    As it stands at `at` (UTC; None: now). Returns how many entries it was.
    """
    told = 0
    while True:
        read, more = _tell_some(at)
        told += read
        if not more:
            return told


@transaction.atomic
def _tell_some(at: datetime | None) -> tuple[int, bool]:
    NewsPosition.objects.get_or_create(name=READER)
    position = NewsPosition.objects.select_for_update().get(name=READER)
    top = LedgerEntry.objects.aggregate(top=Max("seq"))["top"] or 0
    entries = list(
        LedgerEntry.objects.filter(seq__gt=position.seq, seq__lte=top, kind__in=_TELLERS).order_by(
            "seq"
        )[:ENTRIES_AT_ONCE]
    )
    # An act of many entries goes on where the last time ended: it has been told whole.
    last = LedgerEntry.objects.filter(seq=position.seq).values_list("act", "kind").first()
    acts = {(last[0], _ONCE_PER_ACT.get(last[1]))} if last else set()
    now = at or clock.now()
    read = Read(Reached(now), Claims(now))
    for entry in entries:
        once = _ONCE_PER_ACT.get(entry.kind)
        if once is not None:
            if (entry.act, once) in acts:
                continue
            acts.add((entry.act, once))
        _TELLERS[entry.kind](entry, json.loads(entry.body), read)
    more = len(entries) == ENTRIES_AT_ONCE
    if not more:
        _read_the_clock(read, now)
    read.reached.tell()
    read.claims.note()
    if not more:
        tell_more(at=now)
        tell_contested(at=now)
    position.seq = entries[-1].seq if more else top
    position.save(update_fields=["seq"])
    return len(entries), more


def _read_the_clock(read: Read, at: datetime) -> None:
    """What was given for a day begins or ends on it, and no entry says so: this reads the clock.

    What began while nobody asked is read now. The very first time there is nothing: the ledger
    is read from its beginning then, with what holds now.
    """
    now = int(at.timestamp())
    position, __ = NewsPosition.objects.get_or_create(name=CLOCK, defaults={"seq": now})
    if now < position.seq + CLOCK_EVERY.total_seconds():
        return
    after, until = (datetime.fromtimestamp(one, UTC) for one in (position.seq, now))
    for act, began_at in acts_that_begin(after=after, until=until):
        read.reached.by_rights(act, act=None, at=began_at)
    read.claims.by_clock(after=after, until=until)
    position.seq = now
    position.save(update_fields=["seq"])


# --- Answers -----------------------------------------------------------------------------


def _answered(entry: LedgerEntry, body: dict[str, Any], read: Read) -> None:
    """One act, one notice, however many recordings it was about."""
    act = _act(entry)
    if act is not None:
        tell_answered(artist=_artist(body["artist"]), act=act, at=entry.recorded_at)


def _revoked(entry: LedgerEntry, body: dict[str, Any], read: Read) -> None:
    notify_artist(
        artist=_artist(body["artist"]),
        kind=NoticeKind.REVOKED_BY_STAFF,
        key=f"revoked {entry.id}",
        params={"use": body["use"], "reason": reasons_given([entry.act]).get(entry.act, "")},
        at=entry.recorded_at,
    )


# --- Licences ----------------------------------------------------------------------------


def _signed(entry: LedgerEntry, body: dict[str, Any], read: Read) -> None:
    read.reached.by_signature(UUID(body["licence"]), act=_act(entry), at=entry.recorded_at)


def _rights_changed(entry: LedgerEntry, body: dict[str, Any], read: Read) -> None:
    """One act on claims, or on who is named: a licence may begin to touch somebody's work by it."""
    act = _act(entry)
    read.reached.by_rights(entry.act, act=act, at=entry.recorded_at)
    read.claims.by_act(entry.act)
    tell_moved(entry.act, act=act, at=entry.recorded_at)
    if act is not None and act.kind == CLAIM_NOTHING:
        tell_none_of_it(act, at=entry.recorded_at)


def _licence_ended(entry: LedgerEntry, body: dict[str, Any], read: Read) -> None:
    version = LicenceVersion.objects.select_related(
        "licence__holder", "licence__company__party"
    ).get(licence__ref=body["licence"], number=body["number"])
    act = _act(entry)
    tell_ended(version, by=None if act is None else act.by)


# --- Texts -------------------------------------------------------------------------------


def _published(entry: LedgerEntry, body: dict[str, Any], read: Read) -> None:
    """A text that means something new: whoever said yes to the one before is told, in batches."""
    if body["version"] > 1 and not body.get("means_the_same"):
        text_changed(use=body["use"], version=body["version"])


# --- Requests and withdrawals --------------------------------------------------------------


def _requested(entry: LedgerEntry, body: dict[str, Any], read: Read) -> None:
    request = PermissionRequest.objects.select_related(
        "artist__party", "tool__company__party", "recording"
    ).get(ref=body["request"])
    about: dict[str, object] = {"all": True}
    if request.recording is not None:
        about = {"title": request.recording.title}
    if request.valid_until is not None:
        about["ends"] = request.valid_until.isoformat()
    notify_artist(
        artist=request.artist,
        kind=NoticeKind.REQUESTED,
        key=f"request {request.ref}",
        params={
            "company": request.tool.company.party.name,
            "tool": request.tool.name,
            "use": request.use,
        }
        | about,
        at=entry.recorded_at,
    )


def _acknowledged(entry: LedgerEntry, body: dict[str, Any], read: Read) -> None:
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
        Withdrawal.objects.filter(acknowledged_at=None, over_at=None, acknowledge_by__lte=now)
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


_ANSWERS: Final = ("answered", "withdrawn", "cleared", "undone")
_CLAIMS: Final = ("made", "changed", "ended")
_ONCE_PER_ACT: Final[dict[str, Teller]] = {
    **dict.fromkeys((f"permission.{way}" for way in _ANSWERS), _answered),
    **dict.fromkeys((f"claim.{way}" for way in _CLAIMS), _rights_changed),
    "recording.identified": _rights_changed,
}
_TELLERS: Final[dict[str, Teller]] = {
    **_ONCE_PER_ACT,
    "permission.revoked": _revoked,
    "permission.invalidated": _revoked,
    "licence.signed": _signed,
    "licence.ended": _licence_ended,
    "request.made": _requested,
    "wording.published": _published,
    "withdrawal.acknowledged": _acknowledged,
}
