"""How this became: from a line of a statement to the records it was made of, and back.

`explain_line` does the sum again from the records (uses, attributions, rates, splits) by the same
pure function that made the line, and says whether it comes to the same.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import QuerySet

from consent.models import Recording
from royalties import allocation as pure
from royalties.engine.facts import usage_facts
from royalties.engine.rates import rate_fact
from royalties.models import (
    Allocation,
    AllocationLine,
    AllocationShare,
    SplitShare,
    StatementLine,
    UsageEvent,
)
from royalties.words import Standing


@dataclass(frozen=True, slots=True)
class PartExplained:
    """One right, under one rate and one split: the steps from what was reported to the amount.

    `steps` are recomputed from the records; `matches` says that they come to what was written.
    `share_bp` is this party's share. A part that was held before names in `held_in` the month it
    was earned in.
    """

    right: str
    currency: str
    revenue_currency: str
    licence_title: str
    licence_number: int | None
    licence_holder: str
    split_number: int | None
    share_bp: int
    events: int
    held: str
    held_in: date | None
    steps: tuple[pure.Step, ...]
    amount_micros: int
    matches: bool


@dataclass(frozen=True, slots=True)
class LineExplained:
    """The parts of a statement line; `matches` says that all of it was found again."""

    parts: tuple[PartExplained, ...]
    amount_micros: int
    matches: bool


@dataclass(frozen=True, slots=True)
class EventOfLine:
    """One use behind a line, for one right: what was reported, and what it owes this recording.

    `owed_micros` (of `currency`) is `weight` of `weight_total` of `pool_micros`, before the split.
    """

    event: int
    event_id: str
    occurred_at: datetime
    output: UUID | None
    output_title: str
    territory: str
    quantity: int
    revenue_micros: int
    revenue_currency: str
    right: str
    weight: int
    weight_total: int
    pool_micros: int
    owed_micros: int
    currency: str
    allowed: bool
    reason: str
    known_seq: int


@dataclass(frozen=True, slots=True)
class EventsOfLine:
    """A page of the uses behind a line, oldest first, and how many there are in all."""

    total: int
    rows: tuple[EventOfLine, ...]


def explain_line(line: StatementLine) -> LineExplained:
    """Recompute a statement line from the records, step by step.

    A fixed number of queries, and as many again for each earlier month that it releases money of.
    """
    rows = list(
        _allocation_lines(line)
        .select_related(
            "allocation__period",
            "allocation__tool",
            "allocation__rate__version__licence__holder",
            "allocation__split",
            "allocation__releases__period",
        )
        .order_by("allocation__right", "allocation_id")
    )
    again = _recompute([_origin(row.allocation) for row in rows])
    splits = _splits({row.allocation.split_id for row in rows})
    parts = tuple(_explain(row, again, splits) for row in rows)
    total = sum(part.amount_micros for part in parts)
    return LineExplained(
        parts, total, total == line.amount_micros and all(part.matches for part in parts)
    )


def events_of_line(line: StatementLine, *, offset: int = 0, limit: int = 50) -> EventsOfLine:
    """The uses behind a line (two queries), one row for each use and right."""
    origins = [
        row.allocation.releases_id or row.allocation_id
        for row in _allocation_lines(line).select_related("allocation")
    ]
    shares = AllocationShare.objects.filter(allocation__in=origins)
    rows = shares.select_related("event__output", "allocation").order_by(
        "event__occurred_at", "event_id", "allocation__right", "id"
    )[offset : offset + limit]
    return EventsOfLine(
        shares.count(),
        tuple(
            EventOfLine(
                event=share.event_id,
                event_id=share.event.event_id,
                occurred_at=share.event.occurred_at,
                output=share.event.output.ref if share.event.output else None,
                output_title=share.event.output.title if share.event.output else "",
                territory=share.event.territory,
                quantity=share.event.quantity,
                revenue_micros=share.event.revenue_micros,
                revenue_currency=share.event.currency,
                right=share.allocation.right,
                weight=share.weight,
                weight_total=share.weight_total,
                pool_micros=share.pool_micros,
                owed_micros=share.owed_micros,
                currency=share.allocation.currency,
                allowed=share.event.allowed,
                reason=share.event.reason,
                known_seq=share.event.known_seq,
            )
            for share in rows
        ),
    )


def lines_of_event(event: UsageEvent, recording: Recording) -> QuerySet[StatementLine]:
    """The other way: the published lines in which a use of `recording` was paid or held."""
    shares = AllocationShare.objects.filter(event=event, allocation__recording=recording)
    return StatementLine.objects.filter(
        recording=recording,
        use=event.use,
        tool=event.tool_id,
        statement__period__allocations__in=shares.values("allocation"),
    ).distinct()


def _allocation_lines(line: StatementLine) -> QuerySet[AllocationLine]:
    return AllocationLine.objects.filter(
        payee=line.statement.party_id,
        allocation__period=line.statement.period_id,
        allocation__currency=line.statement.currency,
        allocation__recording=line.recording_id,
        allocation__tool=line.tool_id,
        allocation__use=line.use,
        allocation__held=line.held,
        allocation__releases__isnull=line.standing != Standing.RELEASED,
    )


def _origin(allocation: Allocation) -> Allocation:
    return allocation.releases or allocation


def _recompute(origins: Sequence[Allocation]) -> dict[int, pure.Allocation]:
    """The same allocations again, from the records as they were known when the month was sealed."""
    by_month: defaultdict[datetime, list[Allocation]] = defaultdict(list)
    for origin in origins:
        if origin.period.sealed_at is not None:
            by_month[origin.period.sealed_at].append(origin)
    again: dict[int, pure.Allocation] = {}
    for sealed_at, found in by_month.items():
        ids = [origin.pk for origin in found]
        events = UsageEvent.objects.filter(
            pk__in=AllocationShare.objects.filter(allocation__in=ids).values("event")
        )
        facts = usage_facts(events, company=found[0].tool.company_id, known_at=sealed_at)
        made = {a.key: a for a in pure.allocate(facts)}
        for origin in found:
            key = pure.AllocationKey(
                tool=origin.tool_id,
                kind=origin.use,
                recording=origin.recording_id,
                right=origin.right,
                currency=origin.currency,
                revenue_currency=origin.revenue_currency,
                rate=origin.rate_id or 0,
                split=origin.split_id or 0,
                held=origin.held,
            )
            if key in made:
                again[origin.pk] = made[key]
    return again


def _splits(splits: set[int | None]) -> dict[int, pure.SplitFact]:
    shares: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for split, party, share_bp in (
        SplitShare.objects.filter(split__in=[split for split in splits if split is not None])
        .order_by("split_id", "party_id")
        .values_list("split_id", "party_id", "share_bp")
    ):
        shares[split].append((party, share_bp))
    return {split: pure.SplitFact(split, tuple(parts)) for split, parts in shares.items()}


def _explain(
    row: AllocationLine,
    again: dict[int, pure.Allocation],
    splits: dict[int, pure.SplitFact],
) -> PartExplained:
    allocation = row.allocation
    origin = _origin(allocation)
    made = again.get(origin.pk)
    steps: tuple[pure.Step, ...] = ()
    matches = False
    if made is not None and allocation.rate is not None:
        lines = pure.split_lines(made.owed_micros, splits.get(allocation.split_id or 0))
        mine = next((line for line in lines if line.payee == row.payee_id), None)
        if mine is not None:
            steps = pure.steps_of(made, mine, rate_fact(allocation.rate))
            matches = (
                made.owed_micros == origin.owed_micros == allocation.owed_micros
                and made.pool_micros == origin.pool_micros
                and len(made.shares) == origin.events
                and mine.amount_micros == row.amount_micros
            )
    version = allocation.rate.version if allocation.rate else None
    return PartExplained(
        right=allocation.right,
        currency=allocation.currency,
        revenue_currency=allocation.revenue_currency,
        licence_title=version.licence.title if version else "",
        licence_number=version.number if version else None,
        licence_holder=version.licence.holder.name if version else "",
        split_number=allocation.split.number if allocation.split else None,
        share_bp=row.share_bp,
        events=allocation.events,
        held=allocation.held,
        held_in=origin.period.starts_on if allocation.releases_id else None,
        steps=steps,
        amount_micros=row.amount_micros,
        matches=matches,
    )
