"""Bring the facts of decisions in one SQL query, and decide.

`decide_many` is what pages, API, imports and history all call. The SQL (sql/decision.sql) brings
facts; `consent.decisions` knows the rules.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

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
)
from consent.words import Way


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


def decide_one(ask: Ask, *, known_seq: int | None = None) -> Decision:
    """Decide one question; `Decision.seq` says at which ledger position."""
    return decide_many([ask], known_seq=known_seq).decisions[0]


def load(
    asks: Iterable[Ask], *, at: datetime | None = None, known_seq: int | None = None
) -> "Loaded":
    """Bring the facts that `asks` need, as they stood at `at` and were known at `known_seq`."""
    asks = list(asks)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT decision_facts(%s, %s, %s, %s, %s, %s)",
            [
                sorted({a.isrc for a in asks}),
                sorted({a.use for a in asks}),
                sorted({a.tool for a in asks}),
                [str(m) for m in {a.model for a in asks} if m is not None],
                at,
                known_seq,
            ],
        )
        (raw,) = cursor.fetchone()
    return Loaded(json.loads(raw) if isinstance(raw, str) else raw)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _needed(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Loaded:
    """The facts of one snapshot, ready to be put together for each question."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.seq: int = raw["seq"]
        self.at: datetime = _needed(raw["at"])
        self._parties = {p[0]: p for p in raw.get("parties") or ()}
        self._recordings = {
            r[1]: RecordingFacts(
                key=r[0],
                seq=r[7],
                main_artists=tuple(r[2]),
                featured_artists=tuple(r[3]),
                voices=tuple(r[4]),
                works=tuple(r[5]),
                withdrawn=r[6],
            )
            for r in raw["recordings"] or ()
        }
        self._tools = {t[1]: t for t in raw["tools"] or ()}
        self._models = {uuid.UUID(m[1]): m for m in raw.get("models") or ()}
        self._claims: dict[tuple[str, int], list[ClaimFacts]] = {}
        for c in raw.get("claims") or ():
            kind, key = next(
                (k, v)
                for k, v in zip(("recording", "work", "repertoire"), c[5:8], strict=True)
                if v is not None
            )
            self._claims.setdefault((kind, key), []).append(
                ClaimFacts(
                    party=c[0],
                    right=c[1],
                    share_bp=c[2],
                    authority=c[3],
                    seq=c[4],
                    work=c[6],
                    repertoire=c[7],
                    territories=frozenset(c[8]),
                    valid_until=_moment(c[9]),
                    disputed=c[10] == "disputed",
                    suspended=self._is_suspended(c[0]),
                )
            )
        listed = {(v, r) for v, r in raw.get("listings") or ()}
        self._listed = listed
        self._licences: dict[int, list[tuple[int, str, LicenceFacts]]] = {}
        for x in raw.get("licences") or ():
            facts = LicenceFacts(
                ref=x[1],
                number=x[2],
                holder=x[3],
                uses=frozenset(x[5]),
                covers=True,
                seq=x[7],
                began_at=_needed(x[8]),
                territories=frozenset(x[9]),
                ends_at=_moment(x[10]),
                notice_days=x[11],
                models=frozenset(x[12]),
                artist_approval=x[13],
                clause=x[14],
                ended=x[15],
            )
            self._licences.setdefault(x[4], []).append((x[0], x[6], facts))
        self._answers: dict[tuple[int, str], list[Any]] = {}
        for a in raw.get("answers") or ():
            self._answers.setdefault((a[0], a[1]), []).append(a)
        self._later = raw.get("later") or ()

    def forget_tools_of_others(self, company: int) -> None:
        """Know no tool but those of `company` any more."""
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
        claims = [
            *self._claims.get(("recording", recording.key), ()),
            *(c for w in recording.works for c in self._claims.get(("work", w), ())),
        ]
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
        )

    def has_own_answer(self, isrc: str, use: str, artist: int) -> bool:
        """Does she answer for this recording by name? An answer taken back does not count."""
        recording = self._recordings.get(isrc)
        return recording is not None and any(
            a[6] == recording.key and a[5] != Way.CLEARED
            for a in self._answers.get((artist, use), ())
        )

    def _tool(self, ask: Ask) -> ToolFacts | None:
        tool = self._tools.get(ask.tool)
        if tool is None:
            return None
        facts = ToolFacts(
            key=tool[0],
            company=tool[2],
            seq=tool[4],
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
        return tuple(
            facts
            if catalogue == "all"
            else replace(
                facts, covers=((version, recording) in self._listed) == (catalogue == "list")
            )
            for version, catalogue, facts in self._licences.get(company, ())
        )

    def _artist(self, key: int, use: str, recording: int | None, tool: ToolFacts) -> ArtistFacts:
        answers = []
        for a in self._answers.get((key, use), ()):
            if a[6] not in (None, recording) or a[7] not in (None, tool.company):
                continue
            if a[8] not in (None, tool.key):
                continue
            answers.append(
                Answer(
                    stance=a[2],
                    seq=a[3],
                    given_at=_needed(a[4]),
                    way=a[5],
                    on_recording=a[6] is not None,
                    maker="tool" if a[8] is not None else "company" if a[7] is not None else "",
                    territories=frozenset(a[9]),
                    valid_until=_moment(a[10]),
                    notice_days=a[11],
                    took_back_allow=a[12],
                )
            )
        state = self._parties.get(key)
        return ArtistFacts(
            key=key,
            kind=state[1] if state else "",
            answers=tuple(answers),
            changes_at=min(
                (
                    _needed(x[3])
                    for x in self._later
                    if x[0] == "answer" and x[1] == key and x[2] == use
                ),
                default=None,
            ),
            suspended=state[2] if state else True,
            is_minor=state[3] if state else False,
            has_guardian=state[4] is not None if state else False,
        )

    def _changes_at(
        self, recording: RecordingFacts, company: int, claims: Sequence[ClaimFacts]
    ) -> datetime | None:
        if not self._later:
            return None
        people = {*recording.main_artists, *recording.featured_artists}
        assets = {recording.key, *recording.works, *people}
        holders = {c.party for c in claims} | people
        return min(
            (
                _needed(x[3])
                for x in self._later
                if (x[0] == "claim" and x[1] in assets)
                or (x[0] == "licence" and x[1] in holders and x[2] == company)
            ),
            default=None,
        )
