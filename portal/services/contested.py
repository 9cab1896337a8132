"""Telling whom it concerns that claims contradict each other, and that they do not any more.

A contradiction is a no to everybody, whatever the artists said and whoever holds a licence, and
only those who claim can end it. The artists on the recording, and the labels that claim or
delivered it, are told of each once (`ToldConflict`), all of theirs in one notice a day at most.
Nobody is told who claims: a label's queue says that to the label.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Max, Q

from consent.models import Artist, Party, Recording
from consent.queries.contested import (
    Place,
    acts_that_turn,
    artists_named_on,
    contested,
    recordings_of_acts,
)
from consent.services.claims import active_claims
from consent.services.identities import latest_identities
from consent.words import Right
from portal.access import artists_of
from portal.models import NoticeKind, Roster, RosterKind, ToldConflict
from portal.services.notices import notify_artist, notify_label

AGAIN_AFTER: Final = timedelta(days=1)
"""Whatever else becomes contested, or settled, is told so long after the last time, together."""

TITLES: Final = 3
"""So many recordings are named by their titles in a notice; the others are counted."""


@dataclass(slots=True)
class Claims:
    """The acts that were read in one go, at `now` (UTC), and may have changed who claims what."""

    now: datetime
    acts: set[UUID] = field(default_factory=set)

    def by_act(self, act: UUID) -> None:
        """An act on claims, or on who is named on recordings."""
        self.acts.add(act)

    def by_clock(self, *, after: datetime, until: datetime) -> None:
        """What begins or ends by itself in (`after`, `until`]."""
        self.acts.update(acts_that_turn(after=after, until=until))

    def note(self) -> None:
        """Write down what is contested now, for whom, and what is not any more."""
        recordings = recordings_of_acts(self.acts)
        if not recordings:
            return
        found = contested(recordings, at=self.now)
        named = artists_named_on(recording for recording, _ in found)
        labels = set(
            Roster.objects.filter(
                kind=RosterKind.LABEL, party__in=set().union(*found.values())
            ).values_list("party", flat=True)
        )
        concerned = {
            place: named.get(place[0], set()) | (parties & labels)
            for place, parties in found.items()
        }
        self._settle(recordings, concerned)
        ToldConflict.objects.bulk_create(
            (
                ToldConflict(
                    party_id=party, recording_id=place[0], right=place[1], found_at=self.now
                )
                for place, parties in sorted(concerned.items())
                for party in sorted(parties)
            ),
            ignore_conflicts=True,
            batch_size=2_000,
        )

    def _settle(self, recordings: Iterable[int], concerned: Mapping[Place, set[int]]) -> None:
        """End what is contested no more, or concerns its party no more, who then is not told."""
        rows = ToldConflict.objects.filter(recording__in=list(recordings), settled_at=None)
        over = []
        for row in rows:
            parties = concerned.get((row.recording_id, row.right))
            if parties is None or row.party_id not in parties:
                row.settled_at = self.now
                row.waits = parties is None and row.told_at is not None
                over.append(row)
        ToldConflict.objects.bulk_update(over, ["settled_at", "waits"], batch_size=500)


def tell_contested(*, at: datetime) -> int:
    """Tell each party what is contested, and what is settled, at `at` (UTC); returns how many."""
    waiting = ToldConflict.objects.filter(waits=True)
    last = ToldConflict.objects.filter(party__in=waiting.values("party")).values("party")
    lately = last.annotate(told=Max("told_at"), settled=Max("settled_told_at")).filter(
        Q(told__gt=at - AGAIN_AFTER) | Q(settled__gt=at - AGAIN_AFTER)
    )
    rows = waiting.exclude(party__in=lately.values("party")).order_by("recording__title", "pk")
    found: dict[int, list[ToldConflict]] = defaultdict(list)
    for row in rows:
        found[row.party_id].append(row)
    if not found:
        return 0
    titles = dict(
        Recording.objects.filter(
            pk__in={row.recording_id for ones in found.values() for row in ones}
        ).values_list("pk", "title")
    )
    artists = Artist.objects.select_related("party").in_bulk(found)
    labels = Party.objects.in_bulk(set(found) - set(artists))
    count = 0
    for party, ones in found.items():
        open_ones = [row for row in ones if row.settled_at is None]
        over = [row for row in ones if row.settled_at is not None]
        for row in ones:
            row.waits = False
        for some, was_settled in ((open_ones, False), (over, True)):
            if not some:
                continue
            for row in some:
                if was_settled:
                    row.settled_told_at = at
                else:
                    row.told_at = at
            facts = _facts(some, titles, was_settled=was_settled)
            if party in artists:
                count += _tell_artist(artists[party], some, facts, at, was_settled=was_settled)
            else:
                count += _tell_label(labels[party], some, facts, at, was_settled=was_settled)
        ToldConflict.objects.bulk_update(
            ones, ["told_at", "settled_told_at", "waits"], batch_size=500
        )
    return count


def _tell_artist(
    artist: Artist,
    rows: list[ToldConflict],
    facts: dict[str, Any],
    at: datetime,
    *,
    was_settled: bool,
) -> int:
    return notify_artist(
        artist=artist,
        kind=NoticeKind.CONTEST_SETTLED if was_settled else NoticeKind.CONTESTED,
        key=_key(rows, was_settled=was_settled),
        params=facts,
        at=at,
    )


def _tell_label(
    label: Party,
    rows: list[ToldConflict],
    facts: dict[str, Any],
    at: datetime,
    *,
    was_settled: bool,
) -> int:
    """As news of one of its artists on these recordings, or, where it has none, of its own."""
    named = Artist.objects.filter(
        billed__recording__in={row.recording_id for row in rows}, billed__featured=False
    )
    artist = named.filter(artists_of([label.pk])).order_by("pk").first()
    if artist is None and was_settled and not _still_claims(label, rows):
        return 0  # it gave its claim up: nothing there is its own any more
    return notify_label(
        label=label,
        artist=artist,
        kind=NoticeKind.CONFLICT_SETTLED if was_settled else NoticeKind.CONFLICT,
        key=_key(rows, was_settled=was_settled),
        params=facts | {"place": f"?label={label.pk}"},
        at=at,
    )


def _still_claims(label: Party, rows: list[ToldConflict]) -> bool:
    identities = latest_identities([row.recording_id for row in rows])
    claims = active_claims(
        recordings=list(identities),
        works=sorted({key for one in identities.values() for key in one.works}),
        repertoires=sorted({key for one in identities.values() for key in one.main}),
    )
    return any(claim.party_id == label.pk and claim.share_bp for claim in claims)


def _key(rows: list[ToldConflict], *, was_settled: bool) -> str:
    return f"{'settled' if was_settled else 'contested'} {min(row.pk for row in rows)}"


def _facts(
    rows: list[ToldConflict], titles: Mapping[int, str], *, was_settled: bool
) -> dict[str, Any]:
    """Which recordings, in the order of their titles; those of the song apart from the rest."""
    word = "settled" if was_settled else "contested"
    facts: dict[str, Any] = {}
    for key, song in ((word, False), (f"{word}_song", True)):
        named = [
            titles[row.recording_id] for row in rows if (row.right == Right.PUBLISHING) is song
        ]
        if named:
            facts[key] = {"titles": named[:TITLES], "others": max(len(named) - TITLES, 0)}
    return facts
