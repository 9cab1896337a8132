"""What a no set in motion: per AI company and model version, what stops and what is not undone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from consent.models import Artist, Withdrawal
from consent.words import Stance
from portal.models.roster import LedgerNow


@dataclass(frozen=True, slots=True)
class Stop:
    """One model version of one company, after a yes was taken back. Moments are UTC."""

    use: str
    scope: str
    company: str
    company_language: str
    tool: str
    tool_slug: str
    model: str
    already_trained: bool
    began_at: datetime
    outputs_until: datetime
    running_off: bool
    told_at: datetime | None
    acknowledge_by: datetime
    acknowledged_at: datetime | None
    overdue: bool


def withdrawals_of(artist: Artist) -> QuerySet[Withdrawal]:
    """Everything that this artist's withdrawals set in motion, the newest first."""
    return (
        Withdrawal.objects.filter(artist=artist)
        .select_related("permission", "company__party", "model_version__tool")
        .annotate(at=LedgerNow())
        .order_by("-id")
    )


def stops(rows: Sequence[Withdrawal]) -> list[Stop]:
    """Rows of `withdrawals_of` as pages show them, by company and model version."""
    found = [_stop(row) for row in rows]
    return sorted(found, key=lambda one: (one.company, one.tool, one.model))


def stops_by_use(artist: Artist, *, tool: int | None = None) -> dict[str, list[Stop]]:
    """What still matters of the latest withdrawal in each scope, by use kind. One query.

    Still matters: outputs run off, or somebody has not confirmed. `tool` narrows it to one tool.
    """
    rows = withdrawals_of(artist)
    if tool is not None:
        rows = rows.filter(model_version__tool=tool)
    newest: dict[tuple[str, str], int] = {}
    by_use: dict[str, list[Withdrawal]] = {}
    for row in rows.filter(Q(outputs_until__gt=LedgerNow()) | Q(acknowledged_at=None))[:500]:
        key = (row.permission.use, row.permission.scope)
        if newest.setdefault(key, row.permission_id) == row.permission_id:
            by_use.setdefault(row.permission.use, []).append(row)
    return {use: stops(found) for use, found in by_use.items()}


def still_stopping(found: Sequence[Stop], scope: str, stance: str) -> list[Stop]:
    """Those that matter where `scope` says `stance` now: a yes again makes an old no moot."""
    if stance != Stance.ALLOW:
        return list(found)
    return [one for one in found if one.scope != scope]


def _stop(row: Withdrawal) -> Stop:
    at: datetime = row.at  # type: ignore[attr-defined]
    model = row.model_version
    return Stop(
        use=row.permission.use,
        scope=row.permission.scope,
        company=row.company.party.name,
        company_language=row.company.party.language,
        tool=model.tool.name if model is not None else "",
        tool_slug=model.tool.slug if model is not None else "",
        model=model.name if model is not None else "",
        already_trained=row.already_trained,
        began_at=row.created_at,
        outputs_until=row.outputs_until,
        running_off=row.outputs_until > at,
        told_at=row.told_at,
        acknowledge_by=row.acknowledge_by,
        acknowledged_at=row.acknowledged_at,
        overdue=row.acknowledged_at is None and row.acknowledge_by <= at,
    )
