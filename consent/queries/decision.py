"""Bring the facts of decisions in one SQL query, and decide.

`decide_many` is what pages, API, imports and history all call. The SQL (sql/decision.sql) brings
facts; `consent.decisions` knows the rules.
"""

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django.db import connection

from consent.decisions import (
    Answer,
    ArtistFacts,
    ClaimFacts,
    Decision,
    Facts,
    LicenceFacts,
    Question,
    RecordingFacts,
    ToolFacts,
    decide,
    value,
)
from consent.words import Way


@value
class Ask:
    """May this tool (by its slug) do this with this recording (by its stored ISRC)?

    `at` is a UTC moment, None for now; `model` the ref of a model version, where one is meant.
    """

    isrc: str
    use: str
    tool: str
    territory: str | None = None
    at: datetime | None = None
    model: uuid.UUID | None = None


@value
class Answered:
    """Decisions in the order of the asks, all of one snapshot at ledger position `seq`.

    `at` holds, per ask, the moment that was answered for: with `seq` it makes the same answer
    come again, for ever.
    """

    seq: int
    at: tuple[datetime, ...]
    decisions: tuple[Decision, ...]


def decide_many(
    asks: Sequence[Ask], *, known_seq: int | None = None, company: int | None = None
) -> Answered:
    """Decide all `asks` on one snapshot: what is known now, or was known at `known_seq`.

    With `company` (the key of an AI company's party) tools of others are unknown: a company
    learns nothing about what others may do. One query, and one more for every further moment
    that the asks name.
    """
    decisions: dict[int, Decision] = {}
    moments: dict[int, datetime] = {}
    by_moment: dict[datetime | None, list[int]] = {}
    for i, ask in enumerate(asks):
        by_moment.setdefault(ask.at, []).append(i)
    seq = known_seq
    for at, positions in by_moment.items():
        loaded = load([asks[i] for i in positions], at=at, known_seq=seq)
        if company is not None:
            loaded.forget_tools_of_others(company)
        seq = loaded.seq  # the first query fixes the snapshot for all
        for i in positions:
            decisions[i] = loaded.decide(asks[i])
            moments[i] = loaded.at
    return Answered(
        seq if seq is not None else 0,
        tuple(moments[i] for i in range(len(asks))),
        tuple(decisions[i] for i in range(len(asks))),
    )


def decide_loaded(asks: Sequence[Ask], loaded: Mapping[str, "Loaded"], *, company: int) -> Answered:
    """Decide `asks`, all about now, on facts of one snapshot by use kind; as `decide_many`."""
    for facts in loaded.values():
        facts.forget_tools_of_others(company)
    return Answered(
        loaded[asks[0].use].seq,
        tuple([loaded[ask.use].at for ask in asks]),
        tuple([loaded[ask.use].decide(ask) for ask in asks]),
    )


def decide_one(ask: Ask, *, known_seq: int | None = None) -> Decision:
    """Decide one question; `Decision.seq` says at which ledger position."""
    return decide_many([ask], known_seq=known_seq).decisions[0]


def load(
    asks: Iterable[Ask], *, at: datetime | None = None, known_seq: int | None = None
) -> "Loaded":
    """Bring the facts that `asks` need, as they stood at `at` and were known at `known_seq`."""
    with connection.cursor() as cursor:
        cursor.execute(FACTS, [*parameters_now(list(asks)), at, known_seq])
        (raw,) = cursor.fetchone()
    return Loaded(json.loads(raw) if isinstance(raw, str) else raw)


FACTS: Final = "SELECT decision_facts(%s::text[], %s::text[], %s::text[], %s::uuid[], %s, %s)"

FACTS_NOW: Final = (
    "decision_facts(%s::text[], %s::text[], %s::text[], %s::uuid[], NULL, NULL, true)"
)
"""An expression for the facts as of now, for who needs no ledger positions with the reasons."""


def parameters_now(asks: Sequence[Ask]) -> list[Any]:
    """The parameters of `FACTS_NOW` for these asks."""
    return [
        _array({a.isrc for a in asks}),
        _array({a.use for a in asks}),
        _array({a.tool for a in asks}),
        _array({str(a.model) for a in asks if a.model is not None}),
    ]


_PLAIN: Final = re.compile(r"[\w,-]*", re.ASCII)


def _array(values: set[str]) -> str | list[str]:
    """An array as PostgreSQL writes it, where no value needs quotes: a third of the cost."""
    text = ",".join(values)
    if _PLAIN.fullmatch(text) and "" not in values and text.count(",") + 1 == len(values):
        return f"{{{text}}}"
    return list(values)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _needed(text: str) -> datetime:
    return datetime.fromisoformat(text)


type _Given = tuple[int | None, int | None, Answer]  # company, tool


GUARDIAN: Final = "guardian"
"""The role of an act that a minor's guardian did for her."""

_NOWHERE: Final[frozenset[str]] = frozenset()


def _places(territories: list[str]) -> frozenset[str]:
    return frozenset(territories) if territories else _NOWHERE


class Loaded:
    """The facts of one snapshot, ready to be put together for each question.

    What many questions share is made once: the hot path asks a hundred at a time.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.seq: int = raw["seq"]
        self.at: datetime = _needed(raw["at"])
        self._entries: Mapping[str, Any] = raw.get("entries") or {}
        self._parties = {p[0]: p for p in raw.get("parties") or ()}
        seq = self._seq
        self._recordings = {
            isrc: RecordingFacts(
                key, seq(entry), tuple(main), tuple(featured), tuple(voices), tuple(works), gone
            )
            for key, isrc, main, featured, voices, works, gone, entry in raw["recordings"] or ()
        }
        self._tools = {t[1]: t for t in raw["tools"] or ()}
        self._models = {uuid.UUID(m[1]): m for m in raw.get("models") or ()}
        self._asked: dict[tuple[str, uuid.UUID | None], ToolFacts | None] = {}
        self._claims = self._read_claims(raw.get("claims") or ())
        self._listed = {(v, r) for v, r in raw.get("listings") or ()}
        self._licences = self._read_licences(raw.get("licences") or ())
        self._alike: dict[int, tuple[LicenceFacts, ...]] = {}
        self._answers = self._read_answers(raw.get("answers") or ())
        self._meanings: Mapping[str, int] = raw.get("meanings") or {}
        self._later = raw.get("later") or ()

    def _read_claims(self, rows: Iterable[Any]) -> dict[tuple[str, int], list[ClaimFacts]]:
        found: dict[tuple[str, int], list[ClaimFacts]] = {}
        for party, right, bp, authority, entry, on, work, repertoire, places, until, how in rows:
            if on is not None:
                place = ("recording", on)
            elif work is not None:
                place = ("work", work)
            else:
                place = ("repertoire", repertoire)
            claim = ClaimFacts(
                party,
                right,
                bp,
                authority,
                self._seq(entry),
                work,
                repertoire,
                _places(places),
                _moment(until),
                how == "disputed",
                self._is_suspended(party),
            )
            found.setdefault(place, []).append(claim)
        return found

    def _read_licences(self, rows: Iterable[Any]) -> dict[int, list[tuple[int, str, LicenceFacts]]]:
        found: dict[int, list[tuple[int, str, LicenceFacts]]] = {}
        for x in rows:
            facts = LicenceFacts(
                ref=x[1],
                number=x[2],
                holder=x[3],
                uses=frozenset(x[5]),
                covers=True,
                seq=self._seq(x[7], x[0]),
                began_at=_moment(x[8]) or self._recorded_at(x[7]),
                territories=_places(x[9]),
                ends_at=_moment(x[10]),
                notice_days=x[11],
                models=frozenset(x[12]),
                artist_approval=x[13],
                clause=x[14],
                ended=x[15],
            )
            found.setdefault(x[4], []).append((x[0], x[6], facts))
        return found

    def _read_answers(self, rows: Iterable[Any]) -> dict[tuple[int, str, int | None], list[_Given]]:
        """By artist, use and recording, None for those in general."""
        found: dict[tuple[int, str, int | None], list[_Given]] = {}
        for row in rows:
            artist, use, stance, entry, way, on, maker, tool, places, until, days, took = row[:12]
            text, (role, at) = row[12], row[13] or ("", None)
            answer = Answer(
                stance,
                self._seq(entry),
                self._recorded_at(entry) if at is None else _needed(at),
                way,
                on is not None,
                "tool" if tool is not None else "company" if maker is not None else "",
                _places(places),
                _moment(until),
                days,
                took,
                text or 1,
                role == GUARDIAN,
            )
            found.setdefault((artist, use, on), []).append((maker, tool, answer))
        return found

    def _seq(self, entry: str, instead: int = 0) -> int:
        """Where an entry stands in the ledger; `instead` where that was not brought (light)."""
        found = self._entries.get(entry)
        return instead if found is None else int(found[0])

    def _recorded_at(self, entry: str) -> datetime:
        found = self._entries.get(entry)
        return self.at if found is None else _needed(found[1])

    def forget_tools_of_others(self, company: int) -> None:
        """Know no tool but those of `company` any more."""
        self._asked.clear()
        self._tools = {slug: t for slug, t in self._tools.items() if t[2] == company}

    def _is_suspended(self, party: int) -> bool:
        state = self._parties.get(party)
        return state is None or state[2]

    def decide(self, ask: Ask, *, bare: bool = False) -> Decision:
        """Decide one of the questions that these facts were loaded for (`bare`: see `facts`)."""
        return decide(Question(ask.use, self.at, ask.territory), self.facts(ask, bare=bare))

    def facts(self, ask: Ask, *, bare: bool = False) -> Facts:
        """The facts of one question, as `consent.decisions` wants them.

        With `bare`, for a recording like this one that no answer and no licence names by itself.
        """
        return self.facts_for(ask, self._tool(ask), bare=bare)

    def facts_for(self, ask: Ask, tool: ToolFacts | None, *, bare: bool = False) -> Facts:
        """The facts of a question about `tool`, whatever tool `ask` names."""
        recording = self._recordings.get(ask.isrc)
        if recording is None or tool is None:
            return Facts(seq=self.seq, recording=recording, tool=tool)
        claims = [*self._claims.get(("recording", recording.key), ())]
        for work in recording.works:
            claims += self._claims.get(("work", work), ())
        people = dict.fromkeys(
            recording.main_artists + recording.featured_artists + recording.voices
        )
        for key in people:
            claims += self._claims.get(("repertoire", key), ())
        return Facts(
            seq=self.seq,
            recording=recording,
            tool=tool,
            claims=tuple(claims),
            licences=self._licences_for(tool.company, None if bare else recording.key),
            artists={
                key: self._artist(key, ask.use, None if bare else recording.key, tool)
                for key in people
            },
            changes_at=self._changes_at(recording, tool.company, claims),
            meant_since=self.meant_since(ask.use),
        )

    def meant_since(self, use: str) -> int:
        """The version of the wording of a use kind since which it means what it means now."""
        return self._meanings.get(use, 1)

    def claiming(self, right: str) -> set[int]:
        """Who claims this right in any of the recordings (keys of parties)."""
        return {c.party for some in self._claims.values() for c in some if c.right == right}

    def has_own_answer(self, isrc: str, use: str, artist: int) -> bool:
        """Does she answer for this recording by name? An answer taken back does not count."""
        recording = self._recordings.get(isrc)
        return recording is not None and any(
            answer.way != Way.CLEARED
            for _company, _tool, answer in self._answers.get((artist, use, recording.key), ())
        )

    def said_of(self, isrc: str, use: str) -> tuple[object, ...]:
        """The answers on this use that name this recording, whoever gave them, to be compared.

        When they were given is left out: only questions about a model version read that, and those
        about a yes that a guardian gave.
        """
        recording = self._recordings.get(isrc)
        if recording is None:
            return ()
        people = dict.fromkeys(
            recording.main_artists + recording.featured_artists + recording.voices
        )
        return tuple(
            (
                key,
                company,
                tool,
                answer.stance,
                answer.way,
                answer.territories,
                answer.valid_until,
                answer.notice_days,
                answer.took_back_allow,
                answer.text,
                answer.by_guardian and answer.given_at,
            )
            for key in people
            for company, tool, answer in self._answers.get((key, use, recording.key), ())
        )

    def listed_by(self, isrc: str, use: str, company: int) -> tuple[int, ...]:
        """The licence versions of `company` for this use that name this recording."""
        recording = self._recordings.get(isrc)
        return tuple(
            version
            for version, catalogue, facts in self._licences.get(company, ())
            if catalogue != "all"
            and use in facts.uses
            and recording is not None
            and (version, recording.key) in self._listed
        )

    def _tool(self, ask: Ask) -> ToolFacts | None:
        place = (ask.tool, ask.model)
        if place not in self._asked:
            self._asked[place] = self._find_tool(ask)
        return self._asked[place]

    def _find_tool(self, ask: Ask) -> ToolFacts | None:
        tool = self._tools.get(ask.tool)
        if tool is None:
            return None
        facts = ToolFacts(
            key=tool[0],
            company=tool[2],
            seq=self._seq(tool[4]),
            suspended=tool[3],
            company_suspended=self._is_suspended(tool[2]),
        )
        if ask.model is None:
            return facts
        model = self._models.get(ask.model)
        if model is None or model[2] != tool[0]:
            return replace(facts, model_known=False)
        return replace(
            facts, model=model[0], model_retired=model[3], model_registered_at=_needed(model[4])
        )

    def _licences_for(self, company: int, recording: int | None) -> tuple[LicenceFacts, ...]:
        alike = self._alike.get(company)
        if alike is not None:
            return alike
        found = self._licences.get(company, ())
        if all(catalogue == "all" for _version, catalogue, _facts in found):
            self._alike[company] = tuple(facts for _version, _catalogue, facts in found)
            return self._alike[company]
        return tuple(
            facts
            if catalogue == "all"
            else replace(
                facts, covers=((version, recording) in self._listed) == (catalogue == "list")
            )
            for version, catalogue, facts in found
        )

    def _artist(self, key: int, use: str, recording: int | None, tool: ToolFacts) -> ArtistFacts:
        given = self._answers.get((key, use, None), ())
        if recording is not None:
            given = (*given, *self._answers.get((key, use, recording), ()))
        answers = [
            answer
            for company, of, answer in given
            if (company is None or company == tool.company) and (of is None or of == tool.key)
        ]
        state = self._parties.get(key)
        return ArtistFacts(
            key=key,
            kind=state[1] if state else "",
            answers=tuple(answers),
            changes_at=self._begins_at(key, use, recording, tool),
            suspended=state[2] if state else True,
            is_minor=state[3] if state else False,
            has_guardian=state[4] is not None if state else False,
        )

    def _begins_at(
        self, artist: int, use: str, recording: int | None, tool: ToolFacts
    ) -> datetime | None:
        """When the first of her answers that were given for later begins to count here."""
        if not self._later:
            return None
        return min(
            (
                _needed(x[1])
                for x in self._later
                if x[0] == "answer"
                and x[2:4] == [artist, use]
                and x[4] in (None, recording)
                and x[5] in (None, tool.company)
                and x[6] in (None, tool.key)
            ),
            default=None,
        )

    def _changes_at(
        self, recording: RecordingFacts, company: int, claims: Sequence[ClaimFacts]
    ) -> datetime | None:
        """When the first claim or licence that was given for later begins to count here."""
        if not self._later:
            return None
        people = {*recording.main_artists, *recording.featured_artists}
        holders = {c.party for c in claims} | people
        return min(
            (
                _needed(x[1])
                for x in self._later
                if (
                    x[0] == "claim"
                    and (x[2] == recording.key or x[3] in recording.works or x[4] in people)
                )
                or (x[0] == "licence" and x[2] in holders and x[3] == company)
            ),
            default=None,
        )
