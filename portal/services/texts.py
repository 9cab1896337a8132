"""Telling artists that a text they said yes to means something else now: it is a no until then.

It may concern everybody who ever answered. So what is left to tell is a row of its own, with how
far it has come, which commits together with each batch of notices: a worker that dies, or was down
when the text was published, goes on where it was, and nobody is told twice.
"""

import time
from datetime import timedelta
from typing import Final

from django.db import transaction

from consent import clock
from consent.models import Artist, Wording
from consent.queries.outdated import Outdated, outdated_by
from portal.models import NewsPosition, NoticeKind
from portal.services.notices import notify_artist

AT_ONCE: Final = 200
"""So many artists are told in one transaction."""

FOR_AT_MOST: Final = timedelta(seconds=10)
"""So long one call goes on. Other news waits for it, and the clock calls again."""

_PREFIX: Final = "text "


def text_changed(*, use: str, version: int) -> None:
    """Write down that a text of this version means something new, and is to be told."""
    NewsPosition.objects.get_or_create(name=f"{_PREFIX}{use} {version}")


def tell_changed_texts(*, for_at_most: timedelta = FOR_AT_MOST, at_once: int = AT_ONCE) -> int:
    """Tell artists whose yes was to an earlier text, batch by batch; returns how many notices.

    For the clock. Of what is left after `for_at_most` it tells the next time.
    """
    ends = time.monotonic() + for_at_most.total_seconds()
    told = 0
    names = NewsPosition.objects.filter(name__startswith=_PREFIX).order_by("name")
    for name in names.values_list("name", flat=True):
        more = True
        while more:
            count, more = _tell_some(name, at_once)
            told += count
            if time.monotonic() >= ends:
                return told
    return told


@transaction.atomic
def _tell_some(name: str, most: int) -> tuple[int, bool]:
    rows = NewsPosition.objects.select_for_update(skip_locked=True)
    position = rows.filter(name=name).first()
    if position is None:  # told by now, or being told by another worker
        return 0, False
    use, version = name.removeprefix(_PREFIX).split()
    wording = Wording.objects.select_related("entry").get(
        use=use, version=int(version), means_the_same=False
    )
    found = outdated_by(wording, after=position.seq, most=most, at=clock.now())
    artists = Artist.objects.select_related("party").in_bulk([one.artist for one in found])
    told = sum(_tell(artists[one.artist], wording, one) for one in found)
    if len(found) < most:
        position.delete()
        return told, False
    position.seq = found[-1].artist
    position.save(update_fields=["seq"])
    return told, True


def _tell(artist: Artist, wording: Wording, outdated: Outdated) -> int:
    """Lead to where she answers again: for all her work, or where only exceptions are, to these."""
    page, place = ("permissions", f"#use-{wording.use}")
    if not outdated.in_general:
        page, place = ("exceptions", f"?use={wording.use}")
    return notify_artist(
        artist=artist,
        kind=NoticeKind.TEXT_CHANGED,
        key=f"text {wording.use} {wording.version}",
        params={"use": wording.use, "page": page, "place": place},
        at=wording.entry.recorded_at,
    )
