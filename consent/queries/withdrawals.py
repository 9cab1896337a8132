"""Whom a no concerns: those who could do something before it, and after it cannot.

Nothing is concluded from licences. `decide` is asked twice about everything that the answer may
touch, as it was known just before its entry in the ledger and with it, and what it no longer
allows is what the companies are told. Recordings that every decision treats alike are asked about
once, so that an answer for ten thousand costs little more than one.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from django.db import connection
from django.db.models import Q

from consent.decisions import NEEDS, Answer, Code, Decision, Facts, Question, Verdict, decide
from consent.models import Artist, ModelVersion, Tool, TrainingUse
from consent.queries.decision import Ask, Loaded, load
from consent.queries.effective import tools_for
from consent.queries.voices import heard_alone, listing_of, tools_licensed_on
from consent.words import LENT_KINDS

NO_END: Final = datetime.max.replace(tzinfo=UTC)

MANY: Final = 2_000
"""How many questions may be asked while others wait for the ledger: about 0.1 s."""

ELSEWHERE: Final = "ZZ"
"""Any place that nobody names. ISO 3166-1 leaves this code to its users, so no place has it."""


@dataclass(frozen=True, slots=True)
class Said:
    """The scope of an answer: on a use kind, for a company or a tool (keys), in territories.

    `recordings` are keys; None for all her work.
    """

    use: str
    company: int | None = None
    tool: int | None = None
    territories: tuple[str, ...] = ()
    recordings: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """Recordings that every decision on one use treats alike, with one as the example.

    `taught` are the model versions that learned from any of them, `for_this` those that did so
    for this very use. `words` stands for what the act says of each of them by name, 0 for nothing.
    """

    isrc: str
    taught: frozenset[int]
    for_this: frozenset[int]
    words: int = 0


@dataclass(frozen=True, slots=True)
class Maker:
    """A tool with its model versions, by key the public reference of each."""

    key: int
    slug: str
    company: int
    models: Mapping[int, uuid.UUID] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reach:
    """All that an answer may touch: recordings by kind, and the tools that may use them.

    `taught` are the model versions that learned from any of the recordings.
    """

    artist: int
    said: Said
    kinds: tuple[Kind, ...]
    makers: tuple[Maker, ...]
    taught: frozenset[int]

    @property
    def questions(self) -> int:
        """How many there are to ask."""
        return len(self.kinds) * sum(1 + len(m.models) for m in self.makers)

    def asks(self) -> list[Ask]:
        """Everything there is to ask."""
        return [
            Ask(kind.isrc, self.said.use, maker.slug, model=model)
            for kind in self.kinds
            for maker in self.makers
            for model in (None, *maker.models.values())
        ]


@dataclass(frozen=True, slots=True)
class Loss:
    """What one model version may no longer do; without one, a tool that names none.

    `outputs_until` is the last moment (UTC) until which `decide` lets outputs run off, of all
    recordings concerned; None where it lets none.
    """

    company: int
    model: int | None
    already_trained: bool
    outputs_until: datetime | None


# The recordings that an answer is about, put together where what decisions read of them is alike:
# their rights, what anybody answered about them by name and what the act will, the licences that
# name them. When a no was given matters where outputs run off after it, and who gave a yes to a
# likeness, so the act stands for both. What was given for later and answered again since never
# speaks. One row for each kind and each model version that learned from it.
_KINDS = """
WITH mine AS MATERIALIZED (
    SELECT r.id, r.isrc, coalesce(r.profile_id, -r.id) AS profile, coalesce(n.words, 0) AS words
      FROM (SELECT recording_id FROM consent_artistrecording WHERE artist_id = %(artist)s
             UNION SELECT unnest(%(heard)s::bigint[])) b
      JOIN consent_recording r ON r.id = b.recording_id
      LEFT JOIN unnest(%(named)s::bigint[], %(words)s::int[]) AS n(id, words) ON n.id = r.id
     WHERE true {of_these}
), version AS (
    SELECT p.*, CASE WHEN p.valid_from > ledger.now THEN p.id END AS later,
           max(p.id) FILTER (WHERE p.valid_from IS NULL OR p.valid_from <= ledger.now)
               OVER (PARTITION BY p.recording_id, p.artist_id, p.scope, p.territories) AS speaking
      FROM (SELECT ledger_now() AS now) ledger, consent_permission p
     WHERE p.use = %(use)s AND p.recording_id = ANY (ARRAY(SELECT id FROM mine))
), spoken AS (
    SELECT * FROM version WHERE id >= coalesce(speaking, 0)
), answered AS (
    SELECT recording_id, string_agg(
               ROW(artist_id, stance, way, company_id, tool_id, territories, valid_until,
                   CASE WHEN later IS NOT NULL THEN valid_from END, notice_days, took_back_allow,
                   wording_id, CASE WHEN took_back_allow OR %(lent)s THEN act_id END)::text, ';'
               ORDER BY artist_id, scope, territories, later) AS signature
      FROM spoken WHERE later IS NOT NULL OR way <> 'cleared' GROUP BY recording_id
), listed AS (
    SELECT recording_id, string_agg(version_id::text, ' ' ORDER BY version_id) AS versions
      FROM consent_licencelisting
     WHERE version_id = ANY (%(versions)s) AND recording_id = ANY (ARRAY(SELECT id FROM mine))
     GROUP BY recording_id
), kind AS MATERIALIZED (
    SELECT m.id, m.isrc, m.words,
           concat_ws('|', m.profile, m.words, coalesce(a.signature, ''), l.versions) AS alike
      FROM mine m
      LEFT JOIN answered a ON a.recording_id = m.id
      LEFT JOIN listed l ON l.recording_id = m.id
)
SELECT alike, min(isrc), words, NULL::bigint, false FROM kind GROUP BY alike, words
UNION ALL
SELECT k.alike, '', 0, u.model_version_id, bool_or(r.use = %(use)s)
  FROM kind k
  JOIN consent_traininguse u ON u.recording_id = k.id
  JOIN consent_trainingrun r ON r.id = u.run_id
 GROUP BY k.alike, u.model_version_id
"""


def reach_of(artist: Artist, said: Said, *, words: Mapping[int, int] | None = None) -> Reach:
    """All that an answer may touch. Three queries, whatever the number of recordings.

    About a voice one more, and three where she is heard on recordings that she is not billed on.

    Call it before the answer is written, so that recordings count as alike only where they were so
    until now. `words` tells those apart of which the act will not say the same: recordings that it
    names (keys), each with a number above 0 for what it says of them.
    """
    found = tools_for(artist)
    heard = heard_on(artist.pk, said)
    more, listing = (tools_licensed_on(heard), listing_of(heard)) if heard else ([], [])
    kinds = _kinds(artist, said, [*found.listing, *listing], words or {}, heard)
    tools = [t for t in (*found.tools, *more) if _in_scope(said, t)]
    taught = {model for kind in kinds for model in kind.taught}
    models: dict[int, dict[int, uuid.UUID]] = {}
    by_key = {t.pk: Maker(t.pk, t.slug, t.company.pk) for t in tools}
    rows = ModelVersion.objects.filter(Q(tool__in=list(by_key)) | Q(pk__in=taught))
    for model in rows.select_related("tool").order_by("pk"):
        tool = model.tool
        if tool.pk not in by_key and _in_scope(said, tool):
            by_key[tool.pk] = Maker(tool.pk, tool.slug, tool.company_id)
        models.setdefault(tool.pk, {})[model.pk] = model.ref
    makers = tuple(replace(m, models=models.get(m.key, {})) for m in by_key.values())
    return Reach(artist.pk, said, kinds, makers, frozenset(taught))


def heard_on(artist: int, said: Said) -> list[int]:
    """The recordings (keys) on which she is heard and not billed, where that matters."""
    return heard_alone(artist) if NEEDS[said.use].voices else []


def _in_scope(said: Said, tool: Tool) -> bool:
    return said.tool in (None, tool.pk) and said.company in (None, tool.company_id)


def _kinds(
    artist: Artist,
    said: Said,
    versions: Sequence[int],
    words: Mapping[int, int],
    heard: Sequence[int],
) -> tuple[Kind, ...]:
    these = "" if said.recordings is None else "AND r.id = ANY (%(recordings)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            _KINDS.format(of_these=these),
            {
                "artist": artist.pk,
                "use": said.use,
                "recordings": list(said.recordings or ()),
                "versions": list(versions),
                "heard": list(heard),
                "named": list(words),
                "words": list(words.values()),
                "lent": said.use in LENT_KINDS,
            },
        )
        rows = cursor.fetchall()
    examples = {alike: (isrc, of) for alike, isrc, of, model, _same in rows if model is None}
    taught: dict[str, set[int]] = {alike: set() for alike in examples}
    for_this: dict[str, set[int]] = {alike: set() for alike in examples}
    for alike, _isrc, _of, model, same in rows:
        if model is not None:
            taught[alike].add(model)
            if same:
                for_this[alike].add(model)
    return tuple(
        Kind(isrc, frozenset(taught[alike]), frozenset(for_this[alike]), of)
        for alike, (isrc, of) in examples.items()
    )


def taught_by(recordings: Sequence[int]) -> int:
    """How many model versions have learned from any of these recordings (keys). One query."""
    uses = TrainingUse.objects.filter(recording__in=recordings)
    return uses.values("model_version").distinct().count()


def losses(reach: Reach, *, at: datetime, before: int) -> list[Loss]:
    """What is no longer allowed at `at` (UTC), compared to what the ledger said at `before`.

    By company, tool and model version. Two queries. A model version that has learned for this use
    from a recording that she says no about now, where she said yes before, is named although
    nobody's licence let it do more anyway: what it has learned is not undone.
    """
    asks = reach.asks()
    if not asks:
        return []
    world = _World(reach, load(asks, at=at, known_seq=before), load(asks, at=at))
    return [
        loss
        for maker in sorted(reach.makers, key=lambda m: (m.company, m.key))
        for loss in world.of(maker)
    ]


type Sayings = Callable[[int, int, int], Iterable[Answer]]
"""What an act will say of a kind, by its `words`, to a company and to its tool (keys).

Of each slot the answer that speaks at the moment that is asked about.
"""


def is_much(reaches: Iterable[Reach]) -> bool:
    """Would everybody wait too long for all of it to be asked about?"""
    return sum(reach.questions for reach in reaches) > MANY


def narrowed(reach: Reach, says: Sayings, *, at: datetime) -> Reach:
    """The same reach with those kinds only of which `losses` will find what it would find of all.

    For an act that is about to be written: `says` is all that it will say on this use. Of each tool
    and model version one kind is kept that loses, the one with the longest run-off. It is the slow
    part for whoever has many rights, and nobody waits for it.
    """
    loaded = load(reach.asks(), at=at)
    world = _World(reach, loaded, _Foreseen(loaded, reach.artist, says, reach.kinds))
    kept: dict[Kind, None] = {}
    for maker in reach.makers:
        for kind in world.telling(maker):
            kept.setdefault(kind)
    return replace(reach, kinds=tuple(kept))


class _Foreseen:
    """What will be known once an act is written."""

    def __init__(self, loaded: Loaded, artist: int, says: Sayings, kinds: Sequence[Kind]) -> None:
        self.at = loaded.at
        self._loaded, self._artist, self._says = loaded, artist, says
        self._words = {kind.isrc: kind.words for kind in kinds}
        self._said: dict[tuple[int, int], tuple[Answer, ...]] = {}

    def facts(self, ask: Ask) -> Facts:
        facts = self._loaded.facts(ask)
        hers = facts.artists.get(self._artist)
        if hers is None or facts.tool is None:
            return facts
        words, tool = self._words[ask.isrc], facts.tool
        place = (words, tool.key)
        if place not in self._said:
            self._said[place] = tuple(self._says(words, tool.company, tool.key))
        new = self._said[place]
        slots = {_slot(answer) for answer in new}
        others = [answer for answer in hers.answers if _slot(answer) not in slots]
        hers = replace(hers, answers=(*others, *new))
        return replace(facts, artists={**facts.artists, self._artist: hers})


def _slot(answer: Answer) -> tuple[bool, str, frozenset[str]]:
    """Which of the answers to one question it takes the place of."""
    return answer.on_recording, answer.maker, answer.territories


@dataclass(frozen=True, slots=True)
class _World:
    """What was known before the answer, and what is known with it."""

    reach: Reach
    before: Loaded
    after: "Loaded | _Foreseen"

    def telling(self, maker: Maker) -> Iterator[Kind]:
        """The kinds that say what this maker loses: for each model version, and without one."""
        longest: dict[int | None, tuple[datetime | None, Kind]] = {}
        for kind in self.reach.kinds:
            stopped, _until = self._lost(kind, maker, None)
            if stopped:
                longest.setdefault(None, (None, kind))
            for model, ref in maker.models.items():
                lost, until = self._lost(kind, maker, ref)
                if not lost and not (model in kind.for_this and self._unsaid(kind, maker)):
                    continue
                found = longest.get(model)
                if found is None or (until and (found[0] is None or until > found[0])):
                    longest[model] = (until, kind)
        for _ends, kind in longest.values():
            yield kind

    def of(self, maker: Maker) -> Iterator[Loss]:
        by_model: dict[int, datetime | None] = {}
        of_tool = False
        for kind in self.reach.kinds:
            stopped, _until = self._lost(kind, maker, None)
            of_tool = of_tool or stopped
            for model, ref in maker.models.items():
                lost, until = self._lost(kind, maker, ref)
                if lost or (model in kind.for_this and self._unsaid(kind, maker)):
                    by_model[model] = _later(by_model.get(model), until if lost else None)
        for model, ends in sorted(by_model.items()):
            yield Loss(maker.company, model, model in self.reach.taught, ends)
        if of_tool and not by_model:
            yield Loss(maker.company, None, False, None)

    def _lost(
        self, kind: Kind, maker: Maker, model: uuid.UUID | None
    ) -> tuple[bool, datetime | None]:
        """Is something forbidden now that was allowed, and until when does it run off?"""
        ask = Ask(kind.isrc, self.reach.said.use, maker.slug, model=model)
        earlier, later = self.before.facts(ask), self.after.facts(ask)
        lost, until = False, None
        for place in places_of(self.reach.said, (earlier, later)):
            held = allowed_until(self._decide(earlier, place))
            if held is None:
                continue
            holds = allowed_until(self._decide(later, place))
            if holds is None or holds < held:
                lost, until = True, _later(until, holds)
        return lost, until

    def _unsaid(self, kind: Kind, maker: Maker) -> bool:
        """Did she say yes to this tool, and does no longer, whatever else stands in its way?"""
        ask = Ask(kind.isrc, self.reach.said.use, maker.slug)
        earlier, later = let_in(self.before.facts(ask)), let_in(self.after.facts(ask))
        for place in places_of(self.reach.said, (earlier, later)):
            if not self._says_yes(self._decide(earlier, place)):
                continue
            decision = self._decide(later, place)
            if not decision.allowed and not self._says_yes(decision):
                return True
        return False

    def _says_yes(self, decision: Decision) -> bool:
        return says_yes(decision, self.reach.artist)

    def _decide(self, facts: Facts, place: str | None) -> Decision:
        return decide(Question(self.reach.said.use, self.after.at, place), facts)


def says_yes(decision: Decision, artist: int) -> bool:
    """Is a yes of this artist (key) among the reasons?"""
    return any(
        r.party == artist and r.code is Code.ARTIST_ALLOWS and r.verdict is Verdict.YES
        for r in decision.reasons
    )


def places_of(said: Said, facts: Iterable[Facts]) -> Sequence[str | None]:
    """Where decisions may differ: in each place that something names, and in any other."""
    named = set(_named(facts))
    mine = said.territories
    if mine:
        other = next((place for place in mine if place not in named), None)
        return [p for p in mine if p in named or p == other]
    return [None, ELSEWHERE, *sorted(named)] if named else [None]


def _named(facts: Iterable[Facts]) -> Iterator[str]:
    for some in facts:
        for claim in some.claims:
            yield from claim.territories
        for licence in some.licences:
            yield from licence.territories
        for artist in some.artists.values():
            for answer in artist.answers:
                yield from answer.territories


def let_in(facts: Facts) -> Facts:
    """The same facts, were neither the tool nor its company suspended."""
    if facts.tool is None:
        return facts
    return replace(facts, tool=replace(facts.tool, suspended=False, company_suspended=False))


def allowed_until(decision: Decision) -> datetime | None:
    """Until when it is allowed as far as notice periods go; None where it is not."""
    if not decision.allowed:
        return None
    ends = [r.until for r in decision.reasons if r.code is Code.RUNS_OFF and r.until is not None]
    return min(ends, default=NO_END)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    ends = [end for end in (one, other) if end is not None]
    return max(ends, default=None)
