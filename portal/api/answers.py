"""Decisions as an AI company may read them: codes and sentences that name nobody.

A company learns the answer and what stands in its way, never who else was asked, how many they
are, or which of them said what: what all artists said is one reason, and the same counts once.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.utils import translation

from consent.decisions import Code, Decision, Reason
from consent.discretion import told_to_companies
from consent.queries.decision import Answered, Ask
from consent.sentences import spell
from consent.words import Right
from portal.queries.api import moment, moment_or_none
from portal.services.tokens import sign_decision


@lru_cache(maxsize=4_096)
def _reason(
    code: Code, verdict: str, right: str, until: datetime | None, licence: str
) -> dict[str, Any]:
    """One reason; machines are spoken to in one language, so that it can be kept."""
    day = f"{until:%Y-%m-%d}" if until is not None else ""
    with translation.override("en"):
        name = Right(right).label if right else ""
        sentence = spell(code, right=name, until_text=day, plain=True)
    found: dict[str, Any] = {"code": str(code), "verdict": str(verdict), "sentence": sentence}
    if right:
        found["right"] = right
    if licence:
        found["licence"] = licence
    return found


def reasons_of(decision: Decision) -> list[dict[str, Any]]:
    """The reasons in order, each once."""
    return list({key: _reason(*key) for key in _told(decision)}.values())


def _told(decision: Decision) -> Iterator[tuple[Code, str, str, datetime | None, str]]:
    return map(_public, told_to_companies(decision.reasons))


def _public(reason: Reason) -> tuple[Code, str, str, datetime | None, str]:
    until = reason.until if reason.code is Code.RUNS_OFF else None
    return reason.code, reason.verdict, reason.right, until, reason.licence


def decision_body(
    ask: Ask, decision: Decision, *, company: int, at: datetime, seq: int
) -> dict[str, Any]:
    """One decision with its token for the `company` (key of its party) that asked.

    `valid_until` bounds a yes, null where no end is in sight.
    """
    return {
        "decision": sign_decision(ask, company=company, at=at, seq=seq, allowed=decision.allowed),
        "allowed": decision.allowed,
        "reasons": reasons_of(decision),
        "valid_until": moment_or_none(decision.valid_until),
    }


def decisions_text(asks: Sequence[Ask], answered: Answered, *, company: int) -> str:
    """The answer to a batch as JSON: one `seq` for all, in the order of the questions.

    The same as `decision_body` says, put together from texts that were made before: reasons are
    few, and each is spelled once.
    """
    seq = answered.seq
    items = []
    for ask, at, decision in zip(asks, answered.at, answered.decisions, strict=True):
        token = sign_decision(ask, company=company, at=at, seq=seq, allowed=decision.allowed)
        until = decision.valid_until
        items.append(
            f'{{"decision":"{token}","allowed":{"true" if decision.allowed else "false"},'
            f'"reasons":[{_reasons_text(decision)}],'
            f'"valid_until":{"null" if until is None else _quoted(moment(until))}}}'
        )
    return f'{{"seq":{seq},"items":[{",".join(items)}]}}'


def _quoted(text: str) -> str:
    return f'"{text}"'


def _reasons_text(decision: Decision) -> str:
    return ",".join({key: _reason_text(*key) for key in _told(decision)}.values())


@lru_cache(maxsize=4_096)
def _reason_text(code: Code, verdict: str, right: str, until: datetime | None, licence: str) -> str:
    return json.dumps(_reason(code, verdict, right, until, licence))
