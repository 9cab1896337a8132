"""Write allocations in bulk: the rows of a month in a few statements, not one by one."""

from collections.abc import Sequence

from royalties import allocation as pure
from royalties.allocation import NOT_HELD
from royalties.engine.bulk import copy_rows, next_ids
from royalties.models import Allocation

_ALLOCATION = (
    "id",
    "period_id",
    "tool_id",
    "use",
    "recording_id",
    "right",
    "currency",
    "revenue_currency",
    "rate_id",
    "split_id",
    "held",
    "releases_id",
    "events",
    "revenue_micros",
    "pool_micros",
    "owed_micros",
)
_SHARE = ("allocation_id", "event_id", "weight", "weight_total", "pool_micros", "owed_micros")
_LINE = ("allocation_id", "payee_id", "share_bp", "amount_micros")


def write_allocations(period: int, allocations: Sequence[pure.Allocation]) -> None:
    """Write allocations with their shares and lines; call it inside a transaction.

    The same allocation of a period twice is refused by the database (`a_period_allocates_once`).
    """
    numbered = list(
        zip(next_ids("royalties_allocation", len(allocations)), allocations, strict=True)
    )
    copy_rows(
        "royalties_allocation",
        _ALLOCATION,
        (
            (
                pk,
                period,
                a.key.tool,
                a.key.kind,
                a.key.recording,
                a.key.right,
                a.key.currency,
                a.key.revenue_currency,
                a.key.rate or None,
                a.key.split or None,
                a.key.held,
                None,
                len(a.shares),
                a.revenue_micros,
                a.pool_micros,
                a.owed_micros,
            )
            for pk, a in numbered
        ),
    )
    copy_rows(
        "royalties_allocationshare",
        _SHARE,
        (
            (pk, s.event, s.weight, s.weight_total, s.pool_micros, s.owed_micros)
            for pk, a in numbered
            for s in a.shares
        ),
    )
    copy_rows(
        "royalties_allocationline",
        _LINE,
        (
            (pk, line.payee, line.share_bp, line.amount_micros)
            for pk, a in numbered
            for line in a.lines
        ),
    )


def write_releases(
    period: int,
    releases: Sequence[tuple[Allocation, int, Sequence[pure.AllocationLine]]],
) -> None:
    """Write, for each held allocation, the one that moves its money by `split` to its payees."""
    numbered = list(zip(next_ids("royalties_allocation", len(releases)), releases, strict=True))
    copy_rows(
        "royalties_allocation",
        _ALLOCATION,
        (
            (
                pk,
                period,
                held.tool_id,
                held.use,
                held.recording_id,
                held.right,
                held.currency,
                held.revenue_currency,
                held.rate_id,
                split,
                NOT_HELD,
                held.pk,
                held.events,
                held.revenue_micros,
                held.pool_micros,
                held.owed_micros,
            )
            for pk, (held, split, _lines) in numbered
        ),
    )
    copy_rows(
        "royalties_allocationline",
        _LINE,
        (
            (pk, line.payee, line.share_bp, line.amount_micros)
            for pk, (_held, _split, lines) in numbered
            for line in lines
        ),
    )
