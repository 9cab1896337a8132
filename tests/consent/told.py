"""Compares the rows of withdrawals with decisions, one by one.

Nothing is put together here as the product does it: every recording, tool, model version and place
is asked about by itself, as it was known before the act and as it is known with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Protocol

from django.db.models import Max, Min

from consent.clock import now
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

type _Loss = tuple[Recording, Tool, str | None, ModelVersion | None, datetime]


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
    entries = LedgerEntry.objects.filter(act=act.ref).aggregate(
        first=Min("seq"), last=Max("seq"), at=Max("recorded_at")
    )
    recorded = entries["at"]
    answers = list(act.permissions.select_related("tool", "company"))
    told = Withdrawal.objects.filter(permission__act=act).select_related("permission__act")
    rows = list(told)
    losses = _Losses(cast, act, before=entries["first"] - 1, after=entries["last"])
    for key in {_key(p) for p in answers}:
        mine = [p for p in answers if _key(p) == key]
        theirs = [row for row in rows if _key(row.permission) == key]
        if _is_yes(mine[0]):
            assert not theirs
            continue
        begins = max(mine[0].valid_from or recorded, recorded)
        songs = [s for s in losses.hers if any(p.recording_id in (None, s.pk) for p in mine)]
        _compare(cast, theirs, losses.by(mine[0], songs, begins), songs, begins, mine[0])
    for use in {p.use for p in answers}:
        everywhere = Permission(use=use, territories=[])
        for tool, model in losses.by(everywhere, losses.hers, recorded):
            # Whatever the answers are, who lost anything is told.
            assert any(
                row.company_id == tool.company_id
                if model is None
                else row.model_version_id == model.pk
                for row in rows
                if row.permission.use == use
            ), answers


class _Losses:
    """What an act took away, by asking about everything before it and after it."""

    def __init__(self, cast: Cast, act: Act, *, before: int, after: int) -> None:
        identities = RecordingIdentity.objects.filter(recording__in=cast.songs)
        asked = {
            i.recording_id: (*i.main_artists, *i.featured_artists, *i.voices)
            for i in identities.order_by("id")
        }
        self.hers = [s for s in cast.songs if act.artist_id in asked[s.pk]]
        self._cast, self._before, self._after = cast, before, after
        self._found: dict[tuple[str, datetime], list[_Loss]] = {}

    def by(
        self, no: Permission, songs: list[Recording], at: datetime
    ) -> dict[tuple[Tool, ModelVersion | None], datetime]:
        """Each tool and model version that lost anything, and until when its outputs may run."""
        if (no.use, at) not in self._found:
            self._found[no.use, at] = list(self._all(no.use, at))
        ends: dict[tuple[Tool, ModelVersion | None], datetime] = {}
        for song, tool, place, model, until in self._found[no.use, at]:
            theirs = no.tool_id in (None, tool.pk) and no.company_id in (None, tool.company_id)
            if theirs and song in songs and (not no.territories or place in no.territories):
                ends[tool, model] = max(ends.get((tool, model), at), until)
        return ends

    def _all(self, use: str, at: datetime) -> Iterator[_Loss]:
        about = [
            (song, tool, place, model)
            for song, tool, place in product(self.hers, self._cast.tools, PLACES)
            for model in (None, *(m for m in self._cast.models if m.tool_id == tool.pk))
        ]
        asks = [
            Ask(song.isrc, use, tool.slug, place, at, model.ref if model else None)
            for song, tool, place, model in about
        ]
        was = decide_many(asks, known_seq=self._before).decisions
        is_now = decide_many(asks, known_seq=self._after).decisions
        for one, earlier, later in zip(about, map(_until, was), map(_until, is_now), strict=True):
            if earlier is not None and (later is None or later < earlier):
                yield (*one, later or at)


class Overs:
    """Which withdrawals are over: of which everything that they took was allowed again at a moment.

    It is kept over a life, since what is over stays over, and asks about each thing by itself.
    """

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._over: set[int] = set()
        self._allowed_again: set[int] = set()
        self._took: dict[int, list[tuple[Ask, datetime]]] = {}
        self.seen = 0
        self.kept_open = 0

    def compare(self) -> None:
        """Compare every row with decisions as of now; call it after everything that happens."""
        for row in Withdrawal.objects.select_related("permission__act", "model_version__tool"):
            if row.pk not in self._took:
                self._took[row.pk] = self._taken(row)
            took, again = self._took[row.pk], []
            if took:
                begins = max(row.permission.valid_from or row.created_at, now())
                asks = [replace(ask, at=begins) for ask, _until_then in took]
                again = [
                    until is not None and until >= held
                    for until, (_ask, held) in zip(
                        map(_until, decide_many(asks).decisions), took, strict=True
                    )
                ]
            if all(again):
                self._allowed_again.add(row.pk)
            if self._named_for_its_learning(row):
                # It may be named for her yes alone. Then it is over only when she says it again.
                assert row.over_at is None or row.pk in self._allowed_again
                continue
            if again and all(again):
                self._over.add(row.pk)
            assert (row.over_at is not None) == (row.pk in self._over), (row.permission, again)
            self.seen += row.over_at is not None
            self.kept_open += row.over_at is None and any(again)

    def _named_for_its_learning(self, row: Withdrawal) -> bool:
        return row.already_trained and row.permission.use == "generative_training"

    def _taken(self, row: Withdrawal) -> list[tuple[Ask, datetime]]:
        """Each thing that this row took, with the moment until which it was allowed before."""
        no, act = row.permission, row.permission.act
        entries = LedgerEntry.objects.filter(act=act.ref).aggregate(
            first=Min("seq"), last=Max("seq")
        )
        begins = max(no.valid_from or row.created_at, row.created_at)
        mine = [p for p in act.permissions.all() if _key(p) == _key(no)]
        hers = _Losses(self._cast, act, before=0, after=0).hers
        songs = [s for s in hers if any(p.recording_id in (None, s.pk) for p in mine)]
        beside = Withdrawal.objects.filter(permission=no).exclude(model_version=None)
        named = {one.tool_id for one in ModelVersion.objects.filter(withdrawals__in=beside)}
        model = row.model_version
        asks = [
            Ask(song.isrc, no.use, tool.slug, place, begins, model.ref if model else None)
            for song, tool, place in product(songs, self._cast.tools, PLACES)
            if tool.company_id == row.company_id and no.tool_id in (None, tool.pk)
            if (model.tool_id == tool.pk if model else tool.pk not in named)
            if not no.territories or place in no.territories
        ]
        was = decide_many(asks, known_seq=entries["first"] - 1).decisions
        became = decide_many(asks, known_seq=entries["last"]).decisions
        return [
            (ask, held)
            for ask, held, left in zip(asks, map(_until, was), map(_until, became), strict=True)
            if held is not None and (left is None or left < held)
        ]


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
