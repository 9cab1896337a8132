"""Changing many recordings at once: which ones are meant, what changes, and what it would mean."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from consent.decisions import Answer, Decision, Facts, Question, Verdict, decide
from consent.models import (
    Artist,
    ArtistRecording,
    LicenceListing,
    Party,
    Permission,
    Recording,
    Release,
    Tool,
)
from consent.queries.catalogue import search_recordings
from consent.queries.decision import Ask, Loaded, load
from consent.queries.effective import Step, steps_of, tools_for
from consent.queries.texts import text_replaced
from consent.queries.withdrawals import taught_by
from consent.words import Stance
from portal.queries.rows import Reader

MOST = 20_000
"""How many recordings one act may change; more are changed in several."""

OUTDATED = "outdated"
"""Instead of the stance that a recording holds: a yes to an earlier text, which is none now."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What somebody picked: every condition narrows it. `sender` and `release` are keys."""

    search: str = ""
    sender: int | None = None
    release: int | None = None
    unanswered: str = ""  # without an answer of its own on this use kind

    def of(self, artist: Artist) -> QuerySet[ArtistRecording]:
        """The artist's recordings that are meant, by title."""
        found = search_recordings(artist, self.search)
        if self.sender is not None:
            found = found.filter(recording__sender=self.sender)
        if self.release is not None:
            found = found.filter(recording__tracks__release=self.release)
        if self.unanswered:
            own = Permission.objects.filter(
                artist=artist,
                use=self.unanswered,
                recording=OuterRef("recording"),
                company=None,
                tool=None,
                territories=[],
            )
            latest = own.order_by("-id").values("pk")[:1]
            speaking = own.filter(pk=latest).exclude(way="cleared")
            found = found.exclude(Exists(speaking))
        return found.order_by("recording__title", "recording_id")

    def keys(self, artist: Artist) -> list[int]:
        """The keys of these recordings, of one more than `MOST` at most. One query."""
        return list(self.of(artist).values_list("recording_id", flat=True)[: MOST + 1])


def senders_of(artist: Artist) -> list[Party]:
    """Who delivered this artist's recordings. One query."""
    hers = Recording.objects.filter(sender=OuterRef("pk"), billed__artist=artist)
    return list(Party.objects.filter(Exists(hers)).order_by("name")[:200])


def releases_to_pick(artist: Artist) -> list[Release]:
    """The releases that her recordings are on, newest first. One query."""
    hers = Q(tracks__recording__billed__artist=artist)
    return list(
        Release.objects.filter(hers).distinct().order_by("-released_on", "title", "id")[:500]
    )


@dataclass(frozen=True, slots=True)
class Meaning:
    """What holds for the chosen recordings now, and what would hold after.

    `before` and `after` count recordings that some tool may use so; `companies_*` name for whom.
    `blocks` are the reasons that would still stand in the way, with the number of recordings.
    `trained` counts model versions that learned from her work, which a no does not undo.
    """

    before: int
    after: int
    companies_before: tuple[str, ...]
    companies_after: tuple[str, ...]
    blocks: tuple[tuple[Step, int], ...]
    trained: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What an answer for many recordings would change. `digest` names exactly this selection.

    `outdated` are the keys of those that hold a yes of their own to an earlier text.
    """

    recordings: tuple[int, ...]
    digest: str
    changes: Mapping[str, int]  # stance that each holds now ("" for none of its own) → how many
    same: int
    meaning: Meaning
    outdated: frozenset[int] = frozenset()

    @property
    def changed(self) -> int:
        return sum(self.changes.values())


@dataclass(frozen=True, slots=True)
class _Row:
    pk: int
    isrc: str
    profile: int | None


def preview(
    reader: Reader,
    selection: Selection,
    *,
    use: str,
    stance: str,
    valid_until: datetime | None = None,
) -> Preview:
    """Work out what would change, without writing anything.

    Recordings that every decision treats alike are decided once, so ten thousand cost little more
    than ten. The number of queries is constant.
    """
    artist = reader.artist
    rows = [
        _Row(*row)
        for row in selection.of(artist).values_list(
            "recording_id", "recording__isrc", "recording__profile_id"
        )[: MOST + 1]
    ]
    keys = tuple(row.pk for row in rows)
    own = _own(artist, use)
    held = {row.pk: _held(own.get(row.pk)) for row in rows}
    changing = [
        row for row in rows if held[row.pk] != stance or own[row.pk].valid_until != valid_until
    ]
    found = tools_for(artist)
    return Preview(
        recordings=keys,
        digest=digest_of(keys),
        changes=Counter(held[row.pk] for row in changing),
        same=len(rows) - len(changing),
        meaning=_meaning(artist, rows, own, found.tools, found.listing, use, stance, valid_until),
        outdated=frozenset(key for key, holds in held.items() if holds == OUTDATED),
    )


def _held(answer: Permission | None) -> str:
    if answer is None:
        return ""
    if answer.stance == Stance.ALLOW and answer.__dict__["text_replaced"]:
        return OUTDATED
    return answer.stance


def digest_of(recordings: Sequence[int]) -> str:
    """A name for exactly these recordings, so that what is saved is what was previewed."""
    text = ",".join(str(key) for key in sorted(recordings))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _own(artist: Artist, use: str) -> dict[int, Permission]:
    """The answers that name single recordings, by recording. One query."""
    rows = (
        Permission.objects.filter(
            artist=artist,
            use=use,
            recording__isnull=False,
            company=None,
            tool=None,
            territories=[],
        )
        .annotate(text_replaced=text_replaced())
        .order_by("scope", "-id")
        .distinct("scope")
    )
    return {
        row.recording_id: row
        for row in rows
        if row.way != "cleared" and row.recording_id is not None
    }


def _meaning(
    artist: Artist,
    rows: Sequence[_Row],
    own: Mapping[int, Permission],
    tools: Sequence[Tool],
    listing: Sequence[int],
    use: str,
    stance: str,
    valid_until: datetime | None,
) -> Meaning:
    named: dict[int, list[int]] = {}
    if listing:
        pairs = LicenceListing.objects.filter(
            version__in=listing, recording__in=[row.pk for row in rows]
        ).values_list("recording_id", "version_id")
        for recording, version in pairs:
            named.setdefault(recording, []).append(version)
    groups: dict[object, list[_Row]] = {}
    for row in rows:
        said = own.get(row.pk)
        answer = (_held(said), said.valid_until, said.took_back_allow) if said else None
        groups.setdefault((row.profile, answer, tuple(sorted(named.get(row.pk, ())))), []).append(
            row
        )
    loaded = load(
        [Ask(group[0].isrc, use, tool.slug) for group in groups.values() for tool in tools]
        or [Ask("", use, "")]
    )
    before = after = 0
    whom_before: dict[str, None] = {}
    whom_after: dict[str, None] = {}
    refused: list[tuple[Decision, int]] = []
    sizes: list[int] = []
    for group in groups.values():
        now = then = False
        refusals = []
        for tool in tools:
            company = tool.company.party.name
            facts = loaded.facts(Ask(group[0].isrc, use, tool.slug))
            if decide(Question(use, loaded.at), facts).allowed:
                now = True
                whom_before.setdefault(company)
            imagined = _imagine(facts, artist.pk, use, stance, valid_until, loaded)
            decision = decide(Question(use, loaded.at), imagined)
            if decision.allowed:
                then = True
                whom_after.setdefault(company)
            else:
                refusals.append(decision)
        before += len(group) if now else 0
        after += len(group) if then else 0
        if stance == Stance.ALLOW and not then:
            refused += [(decision, len(sizes)) for decision in refusals]
        sizes.append(len(group))
    trained = 0
    if stance != Stance.ALLOW and before:
        trained = taught_by([row.pk for row in rows])
    return Meaning(
        before=before,
        after=after,
        companies_before=tuple(whom_before),
        companies_after=tuple(whom_after),
        blocks=_blocks(artist, refused, sizes),
        trained=trained,
    )


def _blocks(
    artist: Artist, refused: Sequence[tuple[Decision, int]], sizes: Sequence[int]
) -> tuple[tuple[Step, int], ...]:
    """What would still stand in the way, the most frequent first; `sizes` are those of groups."""
    if not refused:
        return ()
    groups: dict[str, set[int]] = {}
    reasons: dict[str, Step] = {}
    steps = steps_of([decision for decision, _group in refused], artist=artist)
    for found, (_decision, group) in zip(steps, refused, strict=True):
        step = next(one for one in found if one.verdict == Verdict.NO)
        reasons.setdefault(step.sentence, step)
        groups.setdefault(step.sentence, set()).add(group)
    counted = [(step, sum(sizes[i] for i in groups[text])) for text, step in reasons.items()]
    return tuple(sorted(counted, key=lambda one: -one[1])[:5])


def _imagine(
    facts: Facts,
    artist: int,
    use: str,
    stance: str,
    valid_until: datetime | None,
    loaded: Loaded,
) -> Facts:
    """The same facts, had she given this answer for the recording just now, to the text of now."""
    person = facts.artists.get(artist)
    if person is None:
        return facts
    others = tuple(
        one
        for one in person.answers
        if not (one.on_recording and not one.maker and not one.territories)
    )
    mine = Answer(
        stance=stance,
        seq=loaded.seq,
        given_at=loaded.at,
        on_recording=True,
        valid_until=valid_until,
        text=loaded.meant_since(use),
    )
    return replace(
        facts, artists={**facts.artists, artist: replace(person, answers=(*others, mine))}
    )
