"""Telling an artist that a label says none of a recording of hers is its own.

On the day it is said: until then the label's claim on all her work may have stood in her way. By
whom and of what stands on her page as well (`portal.queries.rights`).
"""

from collections import defaultdict
from datetime import datetime
from typing import Final

from consent.models import Act, Artist, ArtistRecording, RightsClaim
from consent.words import Right
from portal.models import NoticeKind
from portal.services.notices import notify_artist

ACT: Final = "claim_nothing"
TITLES: Final = 3
"""How many titles a notice names; the others are a number."""


def tell_none_of_it(act: Act, *, at: datetime) -> int:
    """Tell the main artists on the recordings of an act of this kind; returns how many notices."""
    said = list(
        RightsClaim.objects.filter(entry__act=act.ref, share_bp=0, ended=False)
        .select_related("party", "recording")
        .order_by("recording__title", "pk")
    )
    if not said:
        return 0
    titles = {row.recording_id: row.recording.title for row in said if row.recording is not None}
    hers: defaultdict[int, list[str]] = defaultdict(list)
    billed = ArtistRecording.objects.filter(recording__in=titles, featured=False)
    places = list(titles)
    for artist, recording in sorted(
        billed.values_list("artist", "recording"), key=lambda one: places.index(one[1])
    ):
        hers[artist].append(titles[recording])
    first = said[0]
    word = "none_of_song" if first.right == Right.PUBLISHING else "none_of"
    artists = Artist.objects.select_related("party").in_bulk(hers)
    return sum(
        notify_artist(
            artist=artists[key],
            kind=NoticeKind.NONE_OF_IT,
            key=f"none of it {act.ref}",
            params={
                "holder": first.party.name,
                word: {"titles": named[:TITLES], "others": max(len(named) - TITLES, 0)},
            },
            but=act.by,
            at=at,
        )
        for key, named in hers.items()
        if key != first.party_id
    )
