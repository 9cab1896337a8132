"""Was it allowed at that moment? For many uses at many moments, in few queries."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from consent.decisions import Decision, Facts, Question, decide
from consent.queries.decision import Ask, load


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a use was allowed, the code of the deciding reason, and the ledger position."""

    allowed: bool
    reason: str
    seq: int


def judge(asks: Sequence[Ask]) -> list[Judged]:
    """Decide each ask at its own moment (`at`, UTC, is needed), in the order given.

    Between two changes of the ledger, and before the next moment at which a fact begins or ends
    by itself, an answer stays the same: so facts are brought once for each such stretch, not once
    for each use.
    """
    moments = [ask.at for ask in asks if ask.at is not None]
    if len(moments) != len(asks):
        raise ValueError("Say for each use when it happened.")
    if not asks:
        return []
    changes = _changes(min(moments), max(moments))
    stretches: defaultdict[int, list[int]] = defaultdict(list)
    for position in sorted(range(len(asks)), key=moments.__getitem__):
        stretches[bisect_right(changes, moments[position])].append(position)
    judged: dict[int, Judged] = {}
    for positions in stretches.values():
        waiting = positions
        while waiting:
            waiting = _judge_from(asks, moments, waiting, judged)
    return [judged[position] for position in range(len(asks))]


def _judge_from(
    asks: Sequence[Ask],
    moments: Sequence[datetime],
    positions: Sequence[int],
    judged: dict[int, Judged],
) -> list[int]:
    """Judge what the facts at the first of these moments can; returns what they cannot."""
    loaded = load([asks[position] for position in positions], at=moments[positions[0]])
    known: dict[tuple[object, ...], tuple[Judged, datetime | None]] = {}
    left: list[int] = []
    for position in positions:
        ask = asks[position]
        question = (ask.isrc, ask.use, ask.tool, ask.territory, ask.model)
        if question not in known:
            facts = loaded.facts(ask)
            decision = decide(Question(ask.use, loaded.at, ask.territory), facts)
            known[question] = (
                Judged(decision.allowed, str(decision.deciding.code), decision.seq),
                min(_ends(decision, facts, loaded.at), default=None),
            )
        answer, until = known[question]
        if until is None or moments[position] < until:
            judged[position] = answer
        else:
            left.append(position)
    return left


def _ends(decision: Decision, facts: Facts, at: datetime) -> Iterator[datetime]:
    """Every later moment at which one of the facts begins or ends by itself."""
    moments = [decision.valid_until, facts.changes_at]
    moments += [claim.valid_until for claim in facts.claims]
    moments += [licence.ends_at for licence in facts.licences]
    for artist in facts.artists.values():
        moments.append(artist.changes_at)
        moments += [answer.valid_until for answer in artist.answers]
    return (moment for moment in moments if moment is not None and moment > at)


def _changes(first: datetime, last: datetime) -> list[datetime]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM decisions_changed_between(%s, %s)", [first, last])
        return [moment for (moment,) in cursor.fetchall()]
