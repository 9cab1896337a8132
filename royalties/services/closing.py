"""Closing a month: seal, allocate, release, post, draft. Each part wholly or not at all.

Every part is a row (`ClosingStep`), done in one transaction that also says that it is done and
writes the rows of what comes next. So it can be killed at any moment and goes on where it was:
what was committed is not done again, and what was not committed never was. A row whose worker
died is due again when its lock runs out; unique constraints stand behind all of it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Case, F, Q, Sum, Value, When
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused
from consent.models import Tool, WorkState
from consent.services import work
from royalties.allocation import AllocationLine as Line
from royalties.allocation import allocate, split_lines
from royalties.engine.facts import usage_facts
from royalties.engine.splits import Splits
from royalties.engine.writing import write_allocations, write_releases
from royalties.models import Allocation, AllocationLine, ClosingStep, Period, UsageEvent
from royalties.services.posting import NewTransaction, post
from royalties.services.statements import draft_statements
from royalties.words import AccountKind, ClosingPart, HeldBecause, PeriodState, TransactionKind

if TYPE_CHECKING:
    from portal.models import User


@transaction.atomic
def begin_closing(*, by: "User | None", period: Period) -> ClosingStep:
    """Write down that `period` is to be closed, and wake a worker; returns its first step.

    Again and again is harmless. Raises `Refused`: `period_not_over` before its last moment has
    passed (UTC), `earlier_period_open` while a month before it is not published.
    """
    at = now()
    if at < period.ends_at:
        raise Refused("period_not_over", _("This month is not over yet."))
    earlier = Period.objects.filter(starts_on__lt=period.starts_on)
    if earlier.exclude(state=PeriodState.PUBLISHED).exists():
        raise Refused("earlier_period_open", _("An earlier month is not published yet."))
    step, _created = ClosingStep.objects.get_or_create(
        period=period,
        part=ClosingPart.SEAL,
        tool=None,
        defaults={"created_at": at, "next_at": at},
    )
    work.wake(step)
    return step


def close_period(*, by: "User | None", period: Period) -> Period:
    """Close `period` here and now, up to its drafts; returns it as it then is.

    What another worker has in hand is left to it. Raises as `begin_closing` does; an error in a
    part is raised, and the part is due again later.
    """
    begin_closing(by=by, period=period)
    while True:
        at = now()
        step = ClosingStep.due(at).filter(period=period).order_by("id").first()
        if step is None:
            break
        claimed = ClosingStep.claim(step.pk, at=at)
        if claimed is None:
            continue
        try:
            do_step(claimed)
        except BaseException as error:
            if not connection.in_atomic_block:
                claimed.fail(f"{type(error).__name__}: {error}", at=now())
            raise
    period.refresh_from_db()
    return period


@work.handles(ClosingStep)
def do_step(step: ClosingStep) -> None:
    """Do one claimed part of a closing, in one transaction; harmless when it is done already."""
    with transaction.atomic():
        # Whoever closes a month holds its row, so that two workers go one after the other.
        period = Period.objects.select_for_update(no_key=True).get(pk=step.period_id)
        state = ClosingStep.objects.values_list("state", flat=True).get(pk=step.pk)
        if state == WorkState.DONE:
            return
        following = _PARTS[ClosingPart(step.part)](step, period)
        step.finish()
        work.wake(*_write_steps(period, following))


def _write_steps(
    period: Period, following: Iterable[tuple[ClosingPart, int | None]]
) -> list[ClosingStep]:
    at = now()
    rows = [
        ClosingStep(period=period, part=part, tool_id=tool, created_at=at, next_at=at)
        for part, tool in following
    ]
    return ClosingStep.objects.bulk_create(rows)


type _Following = Iterable[tuple[ClosingPart, int | None]]


def _seal(step: ClosingStep, period: Period) -> _Following:
    """From now on the month takes no more uses, and what is known now is what counts."""
    period.state = PeriodState.SEALED
    period.sealed_at = now()
    period.save(update_fields=["state", "sealed_at"])
    tools = (
        UsageEvent.objects.filter(period=period)
        .order_by("tool_id")
        .values_list("tool_id", flat=True)
        .distinct()
    )
    return [(ClosingPart.ALLOCATE, tool) for tool in tools] or [(ClosingPart.RELEASE, None)]


def _allocate(step: ClosingStep, period: Period) -> _Following:
    """What the uses of one tool are worth, and to whom."""
    if step.tool_id is None:
        raise AssertionError("allocating goes by tool")
    tool = Tool.objects.get(pk=step.tool_id)
    facts = usage_facts(
        UsageEvent.objects.filter(period=period, tool=tool),
        company=tool.company_id,
        known_at=_sealed_at(period),
    )
    write_allocations(period.pk, allocate(facts))
    others = ClosingStep.objects.filter(period=period, part=ClosingPart.ALLOCATE)
    if others.exclude(pk=step.pk).exclude(state=WorkState.DONE).exists():
        return ()
    return [(ClosingPart.RELEASE, None)]


def _release(step: ClosingStep, period: Period) -> _Following:
    """Money of earlier months that was held, and need not be any longer.

    What waited for a decision falls to those to whom it was allocated, and so does what was held
    while a change of split was pending, whatever became of the change. Money without a split
    falls to the first one.
    """
    sealed_at = _sealed_at(period)
    waiting = list(
        Allocation.objects.filter(
            Q(held__in=[HeldBecause.SPLIT_PENDING, HeldBecause.NO_SPLIT])
            | Q(hold_release__at__lte=sealed_at),
            released_by=None,
            period__starts_on__lt=period.starts_on,
        )
        .select_related("period")
        .prefetch_related("lines")
        .order_by("id")
    )
    splits = Splits(recordings={a.recording_id for a in waiting}, known_at=sealed_at)
    releases: list[tuple[Allocation, int, tuple[Line, ...]]] = []
    for held in waiting:
        if held.split_id is None:
            first = splits.first(recording=held.recording_id, right=held.right)
            if first is not None:
                releases.append((held, first.split, split_lines(held.owed_micros, first)))
        elif held.held != HeldBecause.SPLIT_PENDING or not splits.is_pending(
            recording=held.recording_id, right=held.right, at=held.period.ends_at
        ):
            same = tuple(
                Line(line.payee_id, line.share_bp, line.amount_micros) for line in held.lines.all()
            )
            releases.append((held, held.split_id, same))
    write_releases(period.pk, releases)
    period.state = PeriodState.ALLOCATED
    period.save(update_fields=["state"])
    return [(ClosingPart.POST, None)]


def _post(step: ClosingStep, period: Period) -> _Following:
    """One balanced transaction for each company and currency, one for what is released."""
    new: dict[tuple[str, str, str], NewTransaction] = {}
    for company, company_ref, currency, payee, held, amount in (
        AllocationLine.objects.filter(allocation__period=period, allocation__releases=None)
        .values_list(
            "allocation__tool__company_id",
            "allocation__tool__company__party__ref",
            "allocation__currency",
            "payee_id",
            Case(When(allocation__held="", then=Value(False)), default=Value(True)),
        )
        .annotate(amount=Sum("amount_micros"))
        .order_by(
            "allocation__tool__company_id",
            "allocation__currency",
            F("payee_id").asc(nulls_last=True),
        )
    ):
        transaction_ = new.setdefault(
            (TransactionKind.ALLOCATION, str(company_ref), currency),
            NewTransaction(TransactionKind.ALLOCATION, f"{period}/{company_ref}", currency),
        )
        kind = AccountKind.HELD if held else AccountKind.PAYABLE
        transaction_.move(kind, payee, int(amount))
        transaction_.move(AccountKind.CLEARING, company, -int(amount))
    for currency, payee, was, amount in _released(period):
        transaction_ = new.setdefault(
            (TransactionKind.RELEASE, "", currency),
            NewTransaction(TransactionKind.RELEASE, str(period), currency),
        )
        transaction_.move(AccountKind.HELD if was else AccountKind.PAYABLE, payee, amount)
    post(period=period, transactions=list(new.values()), at=now())
    period.state = PeriodState.POSTED
    period.save(update_fields=["state"])
    return [(ClosingPart.DRAFT, None)]


def _released(period: Period) -> Iterable[tuple[str, int | None, bool, int]]:
    """What releases take from held accounts (negative), and give to their payees."""
    released = Allocation.objects.filter(period=period).exclude(releases=None)
    sums = AllocationLine.objects.values_list("allocation__currency", "payee_id").annotate(
        amount=Sum("amount_micros")
    )
    for currency, payee, amount in sums.filter(allocation__in=released.values("releases")).order_by(
        "allocation__currency", "payee_id"
    ):
        yield currency, payee, True, -int(amount)
    for currency, payee, amount in sums.filter(allocation__in=released).order_by(
        "allocation__currency", "payee_id"
    ):
        yield currency, payee, False, int(amount)


def _draft(step: ClosingStep, period: Period) -> _Following:
    """What each statement of the month will say, for those who publish to look at."""
    draft_statements(period=period, at=now())
    return ()


def _sealed_at(period: Period) -> datetime:
    if period.sealed_at is None:
        raise AssertionError("a_closed_period_says_when_it_was_sealed")
    return period.sealed_at


_PARTS: dict[ClosingPart, Callable[[ClosingStep, Period], _Following]] = {
    ClosingPart.SEAL: _seal,
    ClosingPart.ALLOCATE: _allocate,
    ClosingPart.RELEASE: _release,
    ClosingPart.POST: _post,
    ClosingPart.DRAFT: _draft,
}
