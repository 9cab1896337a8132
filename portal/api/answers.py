"""Decisions as an AI company may read them: codes and sentences that name nobody.

A company learns the answer and what stands in its way, never who else was asked, how many they
are, or which of them said what: the same reason counts once.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from consent.decisions import Code, Decision, Reason
from consent.queries.decision import Answered, Ask
from consent.sentences import spell
from consent.words import Right
from portal.queries.api import moment_or_none
from portal.services.tokens import sign_decision

# What would say something about a person that is nobody's business, and what is said instead.
_DISCREET: Final = {Code.GUARDIAN_MISSING: Code.ARTIST_UNDECIDED}


@lru_cache(maxsize=4_096)
def _reason(
    code: Code, verdict: str, right: str, until: datetime | None, licence: str
) -> dict[str, Any]:
    """One reason; the machine lane speaks one language, so that it can be kept."""
    day = f"{until:%Y-%m-%d}" if until is not None else ""
    found: dict[str, Any] = {
        "code": str(code),
        "verdict": verdict,
        "sentence": spell(
            code, right=Right(right).label if right else "", until_text=day, plain=True
        ),
    }
    if right:
        found["right"] = right
    if licence:
        found["licence"] = licence
    return found


def reasons_of(decision: Decision) -> list[dict[str, Any]]:
    """The reasons in order, each once."""
    return list({key: _reason(*key) for key in map(_public, decision.reasons)}.values())


def _public(reason: Reason) -> tuple[Code, str, str, datetime | None, str]:
    code = _DISCREET.get(reason.code, reason.code)
    until = reason.until if code is Code.RUNS_OFF else None
    return code, reason.verdict, reason.right, until, reason.licence


def decision_body(ask: Ask, decision: Decision, *, at: datetime, seq: int) -> dict[str, Any]:
    """One decision with its token; `valid_until` bounds a yes, null where no end is in sight."""
    return {
        "decision": sign_decision(ask, at=at, seq=seq, allowed=decision.allowed),
        "allowed": decision.allowed,
        "reasons": reasons_of(decision),
        "valid_until": moment_or_none(decision.valid_until),
    }


def decisions_body(asks: Sequence[Ask], answered: Answered) -> dict[str, Any]:
    """The answer to a batch: one `seq` for all, the decisions in the order of the questions."""
    return {
        "seq": answered.seq,
        "items": [
            decision_body(ask, decision, at=at, seq=answered.seq)
            for ask, at, decision in zip(asks, answered.at, answered.decisions, strict=True)
        ],
    }
