"""Telling artists what ends: a month before, a week before, and when it has.

A licence with a term, and a yes to a voice, a name or an image, are over by themselves at a moment
that was written down long before. That the moment comes is in no entry of the ledger, so the clock
asks; how far it has come is a row, which commits together with the notices. A clock that stood
still goes on where it was, so an end is missed by nobody, and told by one however many ask at once.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import transaction

from consent import clock
from consent.models import LicenceVersion
from consent.queries.ends import LicenceEnd, YesEnd, licence_ends, yes_ends
from consent.queries.licences import artists_touched_by
from portal.models import NewsPosition, NoticeKind, User
from portal.services.notices import notify_artist

STAGES: Final = (timedelta(days=30), timedelta(days=7), timedelta())
"""How long before an end it is told, the last one at the end itself."""

READER: Final = "ends"


@transaction.atomic
def tell_ends(*, at: datetime | None = None) -> int:
    """Tell what ends, as far as it is due at `at` (UTC; None: now); returns how many notices.

    For the clock, every hour or so. Of what fell due while nobody asked, each end is told as it
    stands now, once: nobody is told that something ends in a month when it is over tomorrow. The
    very first time there is nothing to tell: what is due counts from then on.
    """
    NewsPosition.objects.get_or_create(
        name=READER, defaults={"seq": int((at or clock.now()).timestamp())}
    )
    position = NewsPosition.objects.select_for_update().get(name=READER)
    # With the position in hand, or of two that ask at once both would tell of the same hour.
    now = datetime.fromtimestamp(int((at or clock.now()).timestamp()), UTC)
    done = datetime.fromtimestamp(position.seq, UTC)
    if now <= done:
        return 0
    told = 0
    for stage in STAGES:
        # What was said with less time to go than this was said with its end in view.
        for yes in yes_ends(after=done + stage, until=now + stage, notice=stage):
            if stage_at(yes.at, now) == stage:
                told += tell_yes(yes, stage)
        for licence in licence_ends(after=done + stage, until=now + stage, notice=stage):
            if stage_at(licence.at, now) == stage:
                told += tell_licence(licence, stage)
    position.seq = int(now.timestamp())
    position.save(update_fields=["seq"])
    return told


def stage_at(end: datetime, now: datetime) -> timedelta | None:
    """How near to `end` it is at `now`: the last of `STAGES` that was reached; None before all."""
    return next((stage for stage in reversed(STAGES) if now >= end - stage), None)


def tell_yes(end: YesEnd, stage: timedelta) -> int:
    """Tell whoever sees this artist that a yes of hers ends, or has ended; returns how many."""
    return notify_artist(
        artist=end.artist,
        kind=NoticeKind.YES_ENDS if stage else NoticeKind.YES_ENDED,
        key=f"yes {end.act} {end.use} {end.about} {end.at:%Y%m%dT%H%M%S} {stage.days}",
        params={
            "use": end.use,
            "due": end.at.isoformat(),
            "recordings": end.recordings or None,
            "whom": end.whom,
        },
    )


def tell_licence(end: LicenceEnd, stage: timedelta, *, but: User | None = None) -> int:
    """Tell every artist whose work a licence touches that it ends, or has; returns how many."""
    licence = end.version.licence
    return sum(
        notify_artist(
            artist=artist,
            kind=NoticeKind.LICENCE_ENDS if stage else NoticeKind.LICENCE_ENDED,
            key=f"licence end {licence.ref} {end.at:%Y%m%dT%H%M%S} {stage.days}",
            params=_facts(end),
            but=but,
        )
        for artist in artists_touched_by(end.version, at=min(end.at, clock.now()))
    )


def tell_ended(version: LicenceVersion, *, by: User | None) -> int:
    """Tell of a version that ends its licence, on the day it is written; returns how many.

    At once: it has ended. Within a month: that it ends, which the clock then does not say again.
    Later: nothing yet.
    """
    at = version.starts_at or version.signed_at
    stage = stage_at(at, version.signed_at)
    return 0 if stage is None else tell_licence(LicenceEnd(version, at), stage, but=by)


def _facts(end: LicenceEnd) -> dict[str, Any]:
    licence = end.version.licence
    return {
        "holder": licence.holder.name,
        "company": licence.company.party.name,
        "uses": end.version.uses,
        "due": end.at.isoformat(),
    }
