"""Lists of answers: the exceptions, and what one act changed."""

from dataclasses import dataclass

from django.db.models import Max, Min, QuerySet

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
    found = LedgerEntry.objects.filter(act=act.ref).aggregate(first=Min("seq"), last=Max("seq"))
    if found["last"] is None:
        return None
    size = LedgerCheckpoint.objects.aggregate(size=Max("size"))["size"] or 0
    return Sealed(found["first"], found["last"], size >= found["last"])


def changed_by(act: Act) -> QuerySet[Permission]:
    """The answers that an act gave, in the order of the ledger."""
    return act.permissions.select_related(
        "recording", "company__party", "tool__company__party", "wording"
    ).order_by("id")


@dataclass(frozen=True, slots=True)
class Skipped:
    """What an undo left alone, because it had been decided again since: the first, and how many."""

    shown: tuple[Permission, ...] = ()
    total: int = 0

    @property
    def more(self) -> int:
        return self.total - len(self.shown)


def skipped_by(undo: Act, *, most: int = 100) -> Skipped:
    """What `undo` skipped, at most `most` of it by name. Three queries at most."""
    if undo.undoes is None:
        return Skipped()
    given = set(undo.permissions.values_list("use", "scope"))
    undone = undo.undoes.permissions.order_by("id").values_list("pk", "use", "scope")
    left = [pk for pk, use, scope in undone if (use, scope) not in given]
    if not left:
        return Skipped()
    shown = changed_by(undo.undoes).filter(pk__in=left[:most])
    return Skipped(tuple(shown), len(left))
