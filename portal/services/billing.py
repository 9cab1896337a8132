"""Telling artists that a message, or a hand, has changed on which recordings they are named.

Who is named is asked. So whoever is taken off a recording, or newly put on one, is told: nobody
loses her say in silence, and nobody is asked without knowing why.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from consent.models import Act, Artist, Party
from consent.queries.billing import Moved, moved_by_act
from portal.models import NoticeKind
from portal.services.notices import notify_artist

TITLES: Final = 3
"""So many recordings are named by their titles in a notice; the others are counted."""


def tell_moved(act_ref: UUID, *, act: Act | None, at: datetime) -> int:
    """Tell each artist whom this act put on recordings or took off them; returns how many notices.

    One notice for each, however many recordings. A party that is no artist has nobody to be told.
    """
    moved = moved_by_act(act_ref)
    if not moved:
        return 0
    source = _source(act)
    return sum(
        notify_artist(
            artist=artist,
            kind=NoticeKind.BILLING_CHANGED,
            key=f"billing {act_ref}",
            params=source | _facts(moved[artist.pk]),
            but=None if act is None else act.by,
            at=at,
        )
        for artist in Artist.objects.filter(pk__in=moved).select_related("party").order_by("pk")
    )


def _source(act: Act | None) -> dict[str, Any]:
    """Whose message it was, or whose hand."""
    if act is None:
        return {}
    ref = act.summary.get("sender")
    sender = Party.objects.filter(ref=ref).first() if ref else None
    if sender is not None:
        return {"sender": sender.name, "message": act.summary.get("message", "")}
    return {} if act.by is None else {"by": str(act.by.ref)}


def _facts(moved: Moved) -> dict[str, Any]:
    named = {
        "off": moved.off,
        "on": moved.on,
        "voice_off": moved.voice_off,
        "voice_on": moved.voice_on,
    }
    return {
        key: {"titles": titles[:TITLES], "others": max(len(titles) - TITLES, 0)}
        for key, titles in named.items()
        if titles
    }
