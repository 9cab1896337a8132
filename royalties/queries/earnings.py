"""What an artist earned: per month, tool and recording, as her statements say.

Everything here reads published statements only, so that a figure on a page is one that can be
found on a statement. Amounts are in micros (millionths of the major unit) unless a name ends in
`_minor`. One query each, whatever the size of the catalogue.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Case, Count, F, Q, QuerySet, Sum, Value, When

from consent.models import Artist, Party
from royalties.models import (
    AllocationLine,
    Period,
    Posting,
    RecordingEarnings,
    SplitVersion,
    Statement,
    StatementLine,
    ToolEarnings,
)
from royalties.words import AccountKind, PeriodState, SplitStatus

type Payee = Artist | Party
"""Whose money: an artist stands for her party (they share their key)."""


@dataclass(frozen=True, slots=True)
class MonthEarned:
    """One statement in short: what a month brought in one currency."""

    month: date
    currency: str
    earned_micros: int
    held_micros: int
    paid_minor: int
    statement: UUID
    published_at: datetime


@dataclass(frozen=True, slots=True)
class ToolEarned:
    """What one tool brought, in one currency; `held_micros` is beside `earned_micros`."""

    tool: int
    tool_slug: str
    tool_name: str
    company_name: str
    currency: str
    earned_micros: int
    held_micros: int
    events: int


@dataclass(frozen=True, slots=True)
class RecordingEarned:
    """What one recording brought, in one currency; `held_micros` is beside `earned_micros`."""

    recording: int
    isrc: str
    title: str
    language: str
    currency: str
    earned_micros: int
    held_micros: int
    events: int


@dataclass(frozen=True, slots=True)
class MonthToolEarned:
    """One stack of a chart: what a tool brought in a month."""

    month: date
    tool_name: str
    currency: str
    earned_micros: int


@dataclass(frozen=True, slots=True)
class MonthInProgress:
    """A month without statements yet, and how far it has come."""

    month: date
    state: str


@dataclass(frozen=True, slots=True)
class Balance:
    """What stands in a party's accounts in one currency."""

    currency: str
    payable_micros: int = 0
    held_micros: int = 0
    carried_micros: int = 0
    on_its_way_micros: int = 0


@dataclass(frozen=True, slots=True)
class HeldMoney:
    """Money that waits for one reason (a code), in one currency, over all published months."""

    reason: str
    currency: str
    amount_micros: int
    recordings: int


def earnings_by_month(
    payee: Payee, *, since: date | None = None, until: date | None = None
) -> list[MonthEarned]:
    """One row per published month and currency, newest first; months from `since` up to `until`."""
    rows = (
        _statements(payee, since, until)
        .order_by("-period__starts_on", "currency")
        .values_list(
            "period__starts_on",
            "currency",
            "earned_micros",
            "held_micros",
            "paid_minor",
            "ref",
            "published_at",
        )
    )
    return [MonthEarned(*row) for row in rows]


def earnings_by_tool(
    payee: Payee, *, since: date | None = None, until: date | None = None
) -> list[ToolEarned]:
    """One row per tool and currency, the largest first."""
    rows = (
        _tool_sums(payee, since, until)
        .values_list(
            "tool_id", "tool__slug", "tool__name", "tool__company__party__name",
            "statement__currency",
        )
        .annotate(earned=Sum("earned_micros"), held=Sum("held_micros"), uses=Sum("events"))
        .order_by("statement__currency", "-earned", "tool__slug")
    )  # fmt: skip
    return [
        ToolEarned(tool, slug, name, company, currency, int(earned), int(held), int(uses))
        for tool, slug, name, company, currency, earned, held, uses in rows
    ]


def earnings_by_recording(
    payee: Payee, *, currency: str | None = None, offset: int = 0, limit: int = 50
) -> list[RecordingEarned]:
    """What each recording has brought so far, the largest first (per currency).

    Ask for one more than a page shows to see whether there is another page.
    """
    sums = RecordingEarnings.objects.filter(party=payee.pk)
    if currency is not None:
        sums = sums.filter(currency=currency)
    rows = sums.order_by("currency", "-earned_micros", "recording_id").values_list(
        "recording_id", "recording__isrc", "recording__title", "recording__language",
        "currency", "earned_micros", "held_micros", "events",
    )[offset : offset + limit]  # fmt: skip
    return [RecordingEarned(*row) for row in rows]


def earnings_by_month_and_tool(
    payee: Payee, *, since: date | None = None, until: date | None = None
) -> list[MonthToolEarned]:
    """The figures of a chart: months in order, tools by name."""
    rows = (
        _tool_sums(payee, since, until)
        .order_by("statement__currency", "statement__period__starts_on", "tool__name")
        .values_list(
            "statement__period__starts_on", "tool__name", "statement__currency", "earned_micros"
        )
    )
    return [MonthToolEarned(*row) for row in rows]


def months_in_progress() -> list[MonthInProgress]:
    """The months that have no statements yet, the earliest first."""
    rows = (
        Period.objects.exclude(state=PeriodState.PUBLISHED)
        .order_by("starts_on")
        .values_list("starts_on", "state")
    )
    return [MonthInProgress(month, state) for month, state in rows]


def balances_of(payee: Payee) -> list[Balance]:
    """What stands in a party's accounts, one row per currency."""
    rows = (
        Posting.objects.filter(account__party=payee.pk)
        .values_list("account__currency")
        .annotate(
            **{
                kind.value: Sum("amount_micros", filter=Q(account__kind=kind))
                for kind in (
                    AccountKind.PAYABLE,
                    AccountKind.HELD,
                    AccountKind.RESIDUE,
                    AccountKind.CLEARING,
                )
            }
        )
        .order_by("account__currency")
    )
    return [Balance(currency, *(int(amount or 0) for amount in rest)) for currency, *rest in rows]


def held_money(payee: Payee, *, alike: Collection[str] = ()) -> list[HeldMoney]:
    """Money of published months that is held to this day, by reason and currency.

    Reasons that are `alike` are counted as one, under the first of them by name.
    """
    same = sorted(alike)
    why = (
        Case(When(allocation__held__in=same, then=Value(same[0])), default=F("allocation__held"))
        if same
        else F("allocation__held")
    )
    rows = (
        _held_lines(payee)
        .annotate(why=why)
        .values_list("why", "allocation__currency")
        .annotate(
            amount=Sum("amount_micros"), recordings=Count("allocation__recording", distinct=True)
        )
        .order_by("why", "allocation__currency")
    )
    return [
        HeldMoney(reason, currency, int(amount), recordings)
        for reason, currency, amount, recordings in rows
    ]


def held_recordings(payee: Payee) -> list[int]:
    """The recordings (keys) whose money of published months is held to this day."""
    return list(_held_lines(payee).values_list("allocation__recording", flat=True).distinct())


def _held_lines(payee: Payee) -> QuerySet[AllocationLine]:
    return AllocationLine.objects.filter(
        payee=payee.pk,
        allocation__period__state=PeriodState.PUBLISHED,
        allocation__released_by=None,
    ).exclude(allocation__held="")


def pending_splits(payee: Payee) -> Sequence[SplitVersion]:
    """Proposed splits that `payee` has a share in, with shares, parties and answers at hand."""
    return list(
        SplitVersion.objects.filter(status=SplitStatus.PENDING, shares__party=payee.pk)
        .select_related("recording")
        .prefetch_related("shares__party", "shares__answer")
        .order_by("proposed_at", "id")
    )


def statements_of(payee: Payee) -> list[Statement]:
    """All published statements of a payee, newest first."""
    return list(
        Statement.objects.filter(party=payee.pk)
        .select_related("period", "party")
        .order_by("-period__starts_on", "currency")
    )


def statement(payee: Payee, *, ref: UUID) -> Statement | None:
    """One published statement of `payee`; None if it is not hers."""
    return (
        Statement.objects.filter(party=payee.pk, ref=ref).select_related("period", "party").first()
    )


def lines_of(
    statement: Statement, *, offset: int = 0, limit: int | None = None
) -> list[StatementLine]:
    """Lines of a statement in their order, recording, tool and company at hand; one query.

    What can be paid first, then what was held before and is released, then what is held.
    """
    lines = (
        StatementLine.objects.filter(statement=statement)
        .select_related("statement", "recording", "tool__company__party")
        .order_by("position")
    )
    return list(lines[offset:] if limit is None else lines[offset : offset + limit])


def _statements(payee: Payee, since: date | None, until: date | None) -> QuerySet[Statement]:
    found = Statement.objects.filter(party=payee.pk)
    if since is not None:
        found = found.filter(period__starts_on__gte=since)
    if until is not None:
        found = found.filter(period__starts_on__lte=until)
    return found


def _tool_sums(payee: Payee, since: date | None, until: date | None) -> QuerySet[ToolEarnings]:
    found = ToolEarnings.objects.filter(statement__party=payee.pk)
    if since is not None:
        found = found.filter(statement__period__starts_on__gte=since)
    if until is not None:
        found = found.filter(statement__period__starts_on__lte=until)
    return found
