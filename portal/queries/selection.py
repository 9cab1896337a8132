"""Changing many recordings at once: which ones are meant, what changes, and what it would mean."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When

from consent.clock import now
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
from consent.queries.decision import GUARDIAN, Ask, Loaded, load
from consent.queries.effective import Step, steps_of, tools_for
from consent.queries.texts import text_replaced
from consent.queries.withdrawals import taught_by
from consent.words import Stance, Way
from portal.queries.own import NOTHING_SAID, Own, own_of
from portal.queries.rows import Reader

MOST = 20_000
"""How many recordings one act may change; more are changed in several."""

OUTDATED = "outdated"
"""Instead of the stance that a recording holds: a yes to an earlier text, which is none now."""

ENDED = "ended"
"""Instead of it: a yes whose time is over."""


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
    said = _said_of(artist, use, now())
    held = {row.pk: _held(said.get(row.pk, _NOBODY_SAID).own) for row in rows}
    changing = [row for row in rows if not said.get(row.pk, _NOBODY_SAID).says(stance, valid_until)]
    found = tools_for(artist)
    return Preview(
        recordings=keys,
        digest=digest_of(keys),
        changes=Counter(held[row.pk] for row in changing),
        same=len(rows) - len(changing),
        meaning=_meaning(reader, rows, said, found.tools, found.listing, use, stance, valid_until),
        outdated=frozenset(key for key, holds in held.items() if holds == OUTDATED),
    )


def _held(own: Own) -> str:
    if own.ended:
        return ENDED
    if own.stance == Stance.ALLOW and own.speaks is not None:
        return OUTDATED if own.speaks.__dict__["text_replaced"] else Stance.ALLOW.value
    return own.stance


def digest_of(recordings: Sequence[int]) -> str:
    """A name for exactly these recordings, so that what is saved is what was previewed."""
    text = ",".join(str(key) for key in sorted(recordings))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class _Said:
    """What was said of one recording: by her, and by everybody who is asked about it.

    `last` is her last answer in that very scope, begun or not. `speaks` are all that speak, for
    whomever and wherever, without what no decision reads: recordings with the same are alike.
    """

    own: Own = NOTHING_SAID
    last: Permission | None = None
    speaks: tuple[tuple[object, ...], ...] = ()

    def says(self, stance: str, valid_until: datetime | None) -> bool:
        """Would the same answer, given now, change nothing?"""
        last = self.last
        return (
            last is not None
            and last.way in (Way.ANSWERED, Way.WITHDRAWN)
            and (last.stance, last.valid_from, last.valid_until) == (stance, None, valid_until)
            and last.notice_days is None
            and not (stance == Stance.ALLOW and last.__dict__["text_replaced"])
        )


_NOBODY_SAID = _Said()


def _said_of(artist: Artist, use: str, at: datetime) -> dict[int, _Said]:
    """The answers that name single recordings of hers, by recording. One query."""
    rows = (
        Permission.objects.filter(use=use, recording__billed__artist=artist)
        .annotate(
            later=Case(When(valid_from__gt=at, then=F("pk"))),
            text_replaced=text_replaced(),
            role=F("act__role"),
        )
        .order_by("recording_id", "artist_id", "scope", "territories", "later", "-id")
        .distinct("recording_id", "artist_id", "scope", "territories", "later")
    )
    by_recording: dict[int, list[Permission]] = {}
    for row in rows:
        if row.recording_id is not None:
            by_recording.setdefault(row.recording_id, []).append(row)
    return {recording: _said(artist, found, at) for recording, found in by_recording.items()}


def _said(artist: Artist, found: Sequence[Permission], at: datetime) -> _Said:
    hers = [
        one
        for one in found
        if one.artist_id == artist.pk
        and one.company_id is None
        and one.tool_id is None
        and not one.territories
    ]
    return _Said(
        own=next(iter(own_of(hers, at).values()), NOTHING_SAID),
        last=max(hers, key=lambda one: one.pk, default=None),
        speaks=tuple(
            (
                one.artist_id,
                one.company_id,
                one.tool_id,
                *one.territories,
                one.stance,
                one.way,
                one.valid_until,
                one.took_back_allow,
                one.__dict__["text_replaced"],
                one.__dict__["role"] == GUARDIAN,
            )
            for one in found
            if one.__dict__["later"] is None and one.way != Way.CLEARED
        ),
    )


def _meaning(
    reader: Reader,
    rows: Sequence[_Row],
    said: Mapping[int, _Said],
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
        alike = said.get(row.pk, _NOBODY_SAID).speaks, tuple(sorted(named.get(row.pk, ())))
        groups.setdefault((row.profile, *alike), []).append(row)
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
            imagined = _imagine(facts, reader.artist.pk, use, stance, valid_until, loaded)
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
        blocks=_blocks(reader, refused, sizes),
        trained=trained,
    )


def _blocks(
    reader: Reader, refused: Sequence[tuple[Decision, int]], sizes: Sequence[int]
) -> tuple[tuple[Step, int], ...]:
    """What would still stand in the way, the most frequent first; `sizes` are those of groups."""
    if not refused:
        return ()
    groups: dict[str, set[int]] = {}
    reasons: dict[str, Step] = {}
    steps = steps_of(
        [decision for decision, _group in refused], artist=reader.artist, to_herself=reader.is_own
    )
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
