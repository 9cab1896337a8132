"""Write allocations in bulk: the rows of a month in a few statements, not one by one."""

from collections.abc import Sequence

from django.db import connection

from royalties import allocation as pure
from royalties.models import Allocation, AllocationLine


def write_allocations(period: int, allocations: Sequence[pure.Allocation]) -> list[Allocation]:
    """Write allocations with their shares and lines; call it inside a transaction.

    The same allocation of a period twice is refused by the database (`a_period_allocates_once`).
    """
    rows = Allocation.objects.bulk_create(
        [
            Allocation(
                period_id=period,
                tool_id=a.key.tool,
                use=a.key.kind,
                recording_id=a.key.recording,
                right=a.key.right,
                currency=a.key.currency,
                rate_id=a.key.rate or None,
                split_id=a.key.split or None,
                held=a.key.held,
                events=len(a.shares),
                revenue_micros=a.revenue_micros,
                revenue_currency=a.key.revenue_currency,
                pool_micros=a.pool_micros,
                owed_micros=a.owed_micros,
            )
            for a in allocations
        ]
    )
    with connection.cursor() as cursor:
        with cursor.copy(
            "COPY royalties_allocationshare"
            " (allocation_id, event_id, weight, weight_total, pool_micros, owed_micros) FROM STDIN"
        ) as copy:
            for row, a in zip(rows, allocations, strict=True):
                for s in a.shares:
                    copy.write_row(
                        (row.pk, s.event, s.weight, s.weight_total, s.pool_micros, s.owed_micros)
                    )
        with cursor.copy(
            "COPY royalties_allocationline"
            " (allocation_id, payee_id, share_bp, amount_micros) FROM STDIN"
        ) as copy:
            for row, a in zip(rows, allocations, strict=True):
                for line in a.lines:
                    copy.write_row((row.pk, line.payee, line.share_bp, line.amount_micros))
    return rows


def write_releases(
    period: int,
    releases: Sequence[tuple[Allocation, int, Sequence[pure.AllocationLine]]],
) -> None:
    """Write, for each held allocation, the one that moves its money by `split` to its payees."""
    rows = Allocation.objects.bulk_create(
        [
            Allocation(
                period_id=period,
                tool_id=held.tool_id,
                use=held.use,
                recording_id=held.recording_id,
                right=held.right,
                currency=held.currency,
                rate_id=held.rate_id,
                split_id=split,
                held="",
                releases=held,
                events=held.events,
                revenue_micros=held.revenue_micros,
                revenue_currency=held.revenue_currency,
                pool_micros=held.pool_micros,
                owed_micros=held.owed_micros,
            )
            for held, split, _lines in releases
        ]
    )
    AllocationLine.objects.bulk_create(
        [
            AllocationLine(
                allocation=row,
                payee_id=line.payee,
                share_bp=line.share_bp,
                amount_micros=line.amount_micros,
            )
            for row, (_held, _split, lines) in zip(rows, releases, strict=True)
            for line in lines
        ]
    )
