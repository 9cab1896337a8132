"""Reading questions: what an artist is asked, and what a company may learn of its own."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from consent.errors import NotFound
from consent.models import AICompany, Artist, PermissionRequest, RequestState


class BatchState(StrEnum):
    """What a company learns: all said yes, somebody said no, or neither yet."""

    WAITS = "waits"
    GRANTED = "granted"
    REFUSED = "refused"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """A question as its company sees it: never who was asked, nor how many.

    `answered_at` (UTC) is when it was decided, None while it waits. `isrc` is empty for a question
    about all work of artists.
    """

    batch: uuid.UUID
    state: BatchState
    tool: str
    use: str
    isrc: str
    valid_from: datetime | None
    valid_until: datetime | None
    asked_at: datetime
    answered_at: datetime | None


def waiting_for(artist: Artist) -> QuerySet[PermissionRequest]:
    """What the artist is asked and has not answered yet, the newest first; one query."""
    return (
        PermissionRequest.objects.filter(
            artist=artist, state__in=[RequestState.OPEN, RequestState.DEFERRED]
        )
        .select_related("tool__company__party", "recording")
        .order_by("-id")
    )


def answered_by(artist: Artist) -> QuerySet[PermissionRequest]:
    """What the artist was asked and is over: answered, or taken back; one query."""
    return (
        PermissionRequest.objects.filter(artist=artist)
        .exclude(state__in=[RequestState.OPEN, RequestState.DEFERRED])
        .select_related("tool__company__party", "recording", "permission")
        .order_by("-id")
    )


def batch_status(company: AICompany, batch: uuid.UUID) -> BatchStatus:
    """What became of one question. Raises `NotFound` when this company asked no such thing."""
    found = _statuses(_rows(company).filter(batch=batch))
    if not found:
        raise NotFound("unknown_request", _("There is no such question of yours."))
    return found[0]


def batches_of(
    company: AICompany, *, before: datetime | None = None, most: int = 50
) -> list[BatchStatus]:
    """The questions of a company, the newest first; `before` is the last `asked_at` seen.

    Two queries. Those asked at the very same moment come on one page together.
    """
    asked = PermissionRequest.objects.filter(tool__company=company)
    if before is not None:
        asked = asked.filter(created_at__lt=before)
    moments = asked.order_by("-created_at").values_list("created_at", flat=True).distinct()[:most]
    return _statuses(_rows(company).filter(created_at__in=list(moments)))


def _rows(company: AICompany) -> QuerySet[PermissionRequest]:
    return (
        PermissionRequest.objects.filter(tool__company=company)
        .select_related("tool", "recording")
        .order_by("-created_at", "batch", "id")
    )


def _statuses(rows: Iterable[PermissionRequest]) -> list[BatchStatus]:
    batches: dict[uuid.UUID, list[PermissionRequest]] = {}
    for row in rows:
        batches.setdefault(row.batch, []).append(row)
    return [_status(batch, asked) for batch, asked in batches.items()]


def _status(batch: uuid.UUID, asked: Sequence[PermissionRequest]) -> BatchStatus:
    row = asked[0]
    state = combined(r.state for r in asked)
    if state is BatchState.REFUSED:
        moments = [r.answered_at for r in asked if r.state == RequestState.REFUSED]
    elif state is BatchState.GRANTED:
        moments = [r.answered_at for r in asked]
    else:
        moments = []
    known = [m for m in moments if m is not None]
    decided = (min if state is BatchState.REFUSED else max)(known) if known else None
    return BatchStatus(
        batch=batch,
        state=state,
        tool=row.tool.slug,
        use=row.use,
        isrc=row.recording.isrc if row.recording else "",
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        asked_at=row.created_at,
        answered_at=decided,
    )


def combined(states: Iterable[str]) -> BatchState:
    """One state for many answers: any no is a no, and only all of them make a yes."""
    found = set(states)
    if RequestState.REFUSED in found:
        return BatchState.REFUSED
    if found == {RequestState.GRANTED}:
        return BatchState.GRANTED
    if RequestState.TAKEN_BACK in found:
        return BatchState.TAKEN_BACK
    return BatchState.WAITS
