"""What an artist said in one scope: what speaks now, what is still to begin, and where only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from django.db.models import Case, F, QuerySet, When

from consent.models import Artist, Permission
from consent.words import Stance, UseKind, Way


@dataclass(frozen=True, slots=True)
class Own:
    """Her answers in one scope, on one use kind.

    `speaks` is the one for everywhere. `ended`: it is a yes whose time is over, and so a no. (A no
    whose time is over says nothing, and is not here.) `beside` are those for some countries, and
    those of a later day, the first of them first; `over` the keys of yeses among them that ended.
    """

    speaks: Permission | None = None
    ended: bool = False
    beside: tuple[Permission, ...] = ()
    over: frozenset[int] = frozenset()

    @property
    def stance(self) -> str:
        """What she says in this scope now, everywhere; empty for nothing."""
        if self.speaks is None:
            return ""
        return Stance.UNDECIDED.value if self.ended else self.speaks.stance

    @property
    def in_places(self) -> tuple[Permission, ...]:
        """Those of `beside` that are for some countries only."""
        return tuple(one for one in self.beside if one.territories)

    @property
    def may_be_taken_back(self) -> bool:
        """Is there an answer for everywhere, now or for a later day?"""
        return self.speaks is not None or any(not one.territories for one in self.beside)


NOTHING_SAID = Own()

_EVER: Final = datetime.min.replace(tzinfo=UTC)


def own_in(artist: Artist, scopes: Sequence[str], at: datetime) -> dict[tuple[str, str], Own]:
    """Her answers in these scopes at a moment of now (UTC), by use kind and scope; one query."""
    rows = _that_speak_or_will(Permission.objects.filter(artist=artist, scope__in=scopes), at)
    return own_of(rows.select_related("act", "wording"), at)


def own_on(
    artist: Artist, recordings: Sequence[int], uses: Sequence[UseKind], at: datetime
) -> dict[int, dict[tuple[str, str], Own]]:
    """As `own_in`, in all scopes that name one of these recordings (keys), by recording."""
    rows = Permission.objects.filter(artist=artist, recording__in=recordings, use__in=uses)
    found: dict[int, list[Permission]] = {}
    for row in _that_speak_or_will(rows, at):
        if row.recording_id is not None:
            found.setdefault(row.recording_id, []).append(row)
    return {recording: own_of(answers, at) for recording, answers in found.items()}


def _that_speak_or_will(rows: QuerySet[Permission], at: datetime) -> QuerySet[Permission]:
    """Of each slot the newest that has begun, and all that have not."""
    return (
        rows.annotate(later=Case(When(valid_from__gt=at, then=F("pk"))))
        .order_by("use", "scope", "territories", "later", "-id")
        .distinct("use", "scope", "territories", "later")
    )


def own_of(rows: Iterable[Permission], at: datetime) -> dict[tuple[str, str], Own]:
    """As `own_in`, of answers that are known: what speaks in each slot, and what waits."""
    slots: dict[tuple[str, str, tuple[str, ...]], list[Permission]] = {}
    for row in rows:
        slots.setdefault((row.use, row.scope, tuple(row.territories)), []).append(row)
    found: dict[tuple[str, str], Own] = {}
    for (use, scope, places), line in slots.items():
        held = found.get((use, scope), NOTHING_SAID)
        found[use, scope] = _with(held, still_to_speak(line, at), at, everywhere=not places)
    return found


def still_to_speak(line: Iterable[Permission], at: datetime) -> list[Permission]:
    """Of the answers in one slot those that speak at `at` or will, in the order in which they do.

    A newer answer silences every older one from the moment at which it begins.
    """
    kept: list[Permission] = []
    for one in sorted(line, key=lambda row: -row.pk):
        if not kept or _begins(one, at) < _begins(kept[-1], at):
            kept.append(one)
    return kept[::-1]


def _begins(row: Permission, at: datetime) -> datetime:
    return row.valid_from if row.valid_from is not None and row.valid_from > at else _EVER


def _with(held: Own, line: Iterable[Permission], at: datetime, *, everywhere: bool) -> Own:
    for one in line:
        over = one.valid_until is not None and one.valid_until <= at
        if one.way == Way.CLEARED or (over and one.stance != Stance.ALLOW):
            continue
        if everywhere and _begins(one, at) == _EVER:
            held = replace(held, speaks=one, ended=over)
        else:
            keys = held.over | {one.pk} if over else held.over
            held = replace(held, beside=(*held.beside, one), over=keys)
    return held
