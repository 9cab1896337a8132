"""Bring the facts of many uses for `royalties.allocation`, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from consent.models import Attribution, TrainingUse
from consent.words import Right, UseKind
from royalties.allocation import AttributionFact, UsageFact
from royalties.engine.rates import Rates
from royalties.engine.splits import Splits
from royalties.models import UsageEvent, UsageRefusal

_TRAINING_RIGHTS = (Right.MASTER.value, Right.PUBLISHING.value)
_VOICE_RIGHTS = (Right.MASTER.value, Right.LIKENESS.value)


def training_rights(use: str) -> tuple[str, ...]:
    """The rights that a training for `use` is paid for; it has no attributions that say so."""
    return _VOICE_RIGHTS if use == UseKind.VOICE else _TRAINING_RIGHTS


@dataclass(frozen=True, slots=True)
class _Drawn:
    recording: int
    right: str
    weight: int
    refused: str


def usage_facts(
    events: QuerySet[UsageEvent], *, company: int, known_at: datetime
) -> list[UsageFact]:
    """The facts of `events`, all of one company, by the terms known at `known_at` (UTC).

    Rate and split are those of the moment of use; a reversal's are those of what it reverses, so
    that it takes back from whom it was given.
    """
    rows: list[tuple[Any, ...]] = list(
        events.order_by("id").values_list(
            "id",
            "tool_id",
            "output_id",
            "training_run_id",
            "use",
            "occurred_at",
            "reverses__occurred_at",
            "territory",
            "quantity",
            "revenue_micros",
            "currency",
            "allowed",
            "reason",
        )
    )
    by_output = _by_output({row[2] for row in rows if row[2] is not None})
    by_run = _by_run({row[3] for row in rows if row[3] is not None})
    refusals = _refusals(events.filter(allowed=False))
    recordings = {
        drawn.recording for found in (*by_output.values(), *by_run.values()) for drawn in found
    }
    rates = Rates(company=company, recordings=recordings, known_at=known_at)
    splits = Splits(recordings=recordings, known_at=known_at)
    facts: list[UsageFact] = []
    for (
        pk, tool, output, run, use, occurred_at, reversed_at, territory, quantity, revenue,
        currency, allowed, reason,
    ) in rows:  # fmt: skip
        at = reversed_at or occurred_at
        drawn_on = by_output[output] if output is not None else by_run[run]
        refused = refusals.get(pk)
        attributions: list[AttributionFact] = []
        for drawn in drawn_on:
            rate = rates.governing(
                recording=drawn.recording, right=drawn.right, use=use, territory=territory, at=at
            )
            split, held = splits.governing(recording=drawn.recording, right=drawn.right, at=at)
            if drawn.refused:
                held = drawn.refused
            elif not allowed:
                # A use that was refused without naming a recording is refused for them all.
                held = (reason if refused is None else refused.get(drawn.recording, "")) or held
            attributions.append(
                AttributionFact(drawn.recording, drawn.right, drawn.weight, rate, split, held)
            )
        facts.append(
            UsageFact(
                event=pk,
                tool=tool,
                kind=use,
                currency=currency,
                revenue_micros=revenue,
                quantity=quantity,
                weight_total=10_000
                if output is not None
                else len({drawn.recording for drawn in drawn_on}),
                attributions=tuple(attributions),
            )
        )
    return facts


def _by_output(outputs: Iterable[int]) -> dict[int, Sequence[_Drawn]]:
    drawn: defaultdict[int, list[_Drawn]] = defaultdict(list)
    for output, recording, right, influence_bp, allowed, reason in (
        Attribution.objects.filter(output__in=list(outputs))
        .order_by("output_id", "right", "recording_id")
        .values_list("output_id", "recording_id", "right", "influence_bp", "allowed", "reason")
    ):
        drawn[output].append(_Drawn(recording, right, influence_bp, "" if allowed else reason))
    return dict(drawn)


def _by_run(runs: Iterable[int]) -> dict[int, Sequence[_Drawn]]:
    drawn: defaultdict[int, list[_Drawn]] = defaultdict(list)
    for run, use, recording, allowed, reason in (
        TrainingUse.objects.filter(run__in=list(runs))
        .order_by("run_id", "recording_id")
        .values_list("run_id", "run__use", "recording_id", "allowed", "reason")
    ):
        for right in training_rights(use):
            drawn[run].append(_Drawn(recording, right, 1, "" if allowed else reason))
    return dict(drawn)


def _refusals(events: QuerySet[UsageEvent]) -> dict[int, dict[int, str]]:
    refused: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for event, recording, reason in UsageRefusal.objects.filter(event__in=events).values_list(
        "event_id", "recording_id", "reason"
    ):
        refused[event][recording] = reason
    return dict(refused)
