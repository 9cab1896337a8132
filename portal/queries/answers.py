"""Lists of answers: the exceptions, and what one act changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Max, QuerySet

from consent.models import Act, Artist, LedgerCheckpoint, LedgerEntry, Permission


def exceptions_of(artist: Artist, *, use: str = "") -> QuerySet[Permission]:
    """The answers that speak beside those in general: about tools, recordings, countries."""
    rows = Permission.objects.filter(artist=artist)
    if use:
        rows = rows.filter(use=use)
    latest = rows.order_by("use", "scope", "territories", "-id").distinct(
        "use", "scope", "territories"
    )
    return (
        Permission.objects.filter(pk__in=latest.values("pk"))
        .exclude(way="cleared")
        .exclude(scope="*/*", territories=[])
        .select_related("recording", "company__party", "tool__company__party", "act__by")
        .order_by("-id")
    )


@dataclass(frozen=True, slots=True)
class Sealed:
    """Where an act stands in the ledger: its first and last position, and whether it is sealed."""

    first: int
    last: int
    is_sealed: bool


def seal_of(act: Act) -> Sealed | None:
    """None for an act without entries in the ledger. Two queries."""
    positions = list(
        LedgerEntry.objects.filter(act=act.ref).order_by("seq").values_list("seq", flat=True)
    )
    if not positions:
        return None
    size = LedgerCheckpoint.objects.aggregate(size=Max("size"))["size"] or 0
    return Sealed(positions[0], positions[-1], size >= positions[-1])


def changed_by(act: Act) -> QuerySet[Permission]:
    """The answers that an act gave, in the order of the ledger."""
    return act.permissions.select_related(
        "recording", "company__party", "tool__company__party", "wording"
    ).order_by("id")


def skipped_by(undo: Act) -> Sequence[Permission]:
    """What an undo left alone, because it had been decided again since."""
    if undo.undoes is None:
        return []
    given = set(undo.permissions.values_list("use", "scope"))
    undone = undo.undoes.permissions.select_related("recording", "tool", "company__party")
    return [one for one in undone.order_by("id") if (one.use, one.scope) not in given]
