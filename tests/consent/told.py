"""Compares the rows of withdrawals with decisions, one by one.

Nothing is put together here as the product does it: every recording, tool, model version and place
is asked about by itself, as it was known before the act and as it is known with it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Protocol

from django.db.models import Max, Min

from consent.decisions import Decision
from consent.models import (
    Act,
    LedgerEntry,
    ModelVersion,
    Permission,
    Recording,
    RecordingIdentity,
    Tool,
    TrainingUse,
    Withdrawal,
)
from consent.queries.decision import Ask, decide_many

PLACES = (None, "DE", "NO", "FR")
NO_END = datetime.max.replace(tzinfo=UTC)


class Cast(Protocol):
    """Everything that there is to ask about."""

    @property
    def songs(self) -> Sequence[Recording]: ...
    @property
    def tools(self) -> Sequence[Tool]: ...
    @property
    def models(self) -> Sequence[ModelVersion]: ...


def every_claim_is_what_decide_says(cast: Cast, act: Act) -> None:
    """Compare the rows of an act with the decisions before it and after it."""
    span = LedgerEntry.objects.filter(act=act.ref).aggregate(first=Min("seq"), last=Max("seq"))
    recorded = LedgerEntry.objects.get(seq=span["last"]).recorded_at
    answers = list(act.permissions.select_related("tool", "company"))
    rows = list(Withdrawal.objects.filter(permission__act=act).select_related("permission"))
    for key in {_key(p) for p in answers}:
        mine = [p for p in answers if _key(p) == key]
        theirs = [row for row in rows if _key(row.permission) == key]
        if _is_yes(mine[0]):
            assert not theirs
            continue
        begins = max(mine[0].valid_from or recorded, recorded)
        songs = [
            s
            for s in cast.songs
            if _is_asked(act.artist_id, s) and any(p.recording_id in (None, s.pk) for p in mine)
        ]
        lost = _lost(cast, mine[0], songs, begins, span["first"] - 1, span["last"])
        _compare(cast, theirs, lost, songs, begins, mine[0])
    for use in {p.use for p in answers}:
        everywhere = Permission(use=use, territories=[])
        hers = [s for s in cast.songs if _is_asked(act.artist_id, s)]
        lost = _lost(cast, everywhere, hers, recorded, span["first"] - 1, span["last"])
        for tool, model in lost:  # whatever the answers are, who lost anything is told
            of = [row for row in rows if row.permission.use == use]
            assert any(
                row.company_id == tool.company_id
                if model is None
                else row.model_version_id == model.pk
                for row in of
            ), answers


def _is_asked(artist: int | None, song: Recording) -> bool:
    """Is she billed on it, or heard?"""
    said = RecordingIdentity.objects.filter(recording=song).latest("id")
    return artist in (*said.main_artists, *said.featured_artists, *said.voices)


def _key(p: Permission) -> tuple[object, ...]:
    places = tuple(p.territories)
    return (
        p.use,
        p.company_id,
        p.tool_id,
        places,
        p.valid_from,
        p.recording_id is None,
        _is_yes(p),
    )


def _is_yes(p: Permission) -> bool:
    """One that an undo brings back after its end allows nothing."""
    over = p.valid_until is not None and p.valid_until <= p.act.created_at
    return p.stance == "allow" and not over


def _lost(
    cast: Cast, no: Permission, songs: list[Recording], at: datetime, before: int, after: int
) -> dict[tuple[Tool, ModelVersion | None], datetime]:
    """For each tool and model version that lost anything: the last moment that outputs run to."""
    asks: list[Ask] = []
    about: list[tuple[Tool, ModelVersion | None]] = []
    for tool in cast.tools:
        if no.tool_id not in (None, tool.pk) or no.company_id not in (None, tool.company_id):
            continue
        for model in (None, *(m for m in cast.models if m.tool_id == tool.pk)):
            ref = model.ref if model else None
            for song, place in product(songs, no.territories or PLACES):
                asks.append(Ask(song.isrc, no.use, tool.slug, place, at, ref))
                about.append((tool, model))
    was = decide_many(asks, known_seq=before).decisions
    is_now = decide_many(asks, known_seq=after).decisions
    ends: dict[tuple[Tool, ModelVersion | None], datetime] = {}
    for one, earlier, later in zip(about, map(_until, was), map(_until, is_now), strict=True):
        if earlier is not None and (later is None or later < earlier):
            ends[one] = max(ends.get(one, at), later or at)
    return ends


def _until(decision: Decision) -> datetime | None:
    if not decision.allowed:
        return None
    ends = [r.until for r in decision.reasons if r.code == "runs_off" and r.until is not None]
    return min(ends, default=NO_END)


def _compare(
    cast: Cast,
    rows: list[Withdrawal],
    lost: dict[tuple[Tool, ModelVersion | None], datetime],
    songs: list[Recording],
    begins: datetime,
    no: Permission,
) -> None:
    taught = set(
        TrainingUse.objects.filter(recording__in=songs).values_list("model_version", flat=True)
    )
    by_model = {row.model_version_id: row for row in rows if row.model_version_id is not None}
    for (_tool, model), until in lost.items():
        if model is not None:
            assert by_model[model.pk].outputs_until == until, no
    also = by_model.keys() - {model.pk for _tool, model in lost if model is not None}
    for key in also:  # what has learned is named though nothing more was allowed anyway
        assert key in taught
        assert no.use == "generative_training"
        assert by_model[key].outputs_until == begins
    named = {m.tool_id for m in cast.models if m.pk in by_model}
    without = {t.company_id for (t, m) in lost if m is None and t.pk not in named}
    assert {row.company_id for row in rows if row.model_version_id is None} == without, no
    for row in rows:
        assert row.already_trained == (row.model_version_id in taught)
        assert row.outputs_until >= begins
        assert row.acknowledge_by == begins + timedelta(days=7)
