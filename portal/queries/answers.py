"""Lists of answers: the exceptions, and what one act changed."""

from dataclasses import dataclass

from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet

from consent.models import Act, Artist, LedgerCheckpoint, LedgerEntry, Permission
from consent.queries.texts import text_replaced
from consent.words import Stance
from portal.models.roster import LedgerNow


def exceptions_of(artist: Artist, *, use: str = "") -> QuerySet[Permission]:
    """The answers that speak beside those in general: about tools, recordings, countries.

    And those that will: a scope may have one that speaks and others that wait for their day. Each
    says in `text_replaced` whether its text was replaced since by one of new meaning, and in `over`
    whether its time has passed.
    """
    waits = Q(valid_from__gt=LedgerNow())
    rows = Permission.objects.filter(artist=artist)
    if use:
        rows = rows.filter(use=use)
    latest = (
        rows.exclude(waits)
        .order_by("use", "scope", "territories", "-id")
        .distinct("use", "scope", "territories")
    )
    newer = Permission.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=OuterRef("valid_from")),
        pk__gt=OuterRef("pk"),
        **{name: OuterRef(name) for name in ("artist", "use", "scope", "territories")},
    )
    return (
        rows.filter(Q(pk__in=latest.values("pk")) | waits & ~Exists(newer))
        .exclude(way="cleared")
        .exclude(scope="*/*", territories=[])
        .annotate(text_replaced=text_replaced(), over=Q(valid_until__lte=LedgerNow()))
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
    return _with_names(act.permissions.all())


def said_by(act: Act) -> set[tuple[str, str]]:
    """Each use kind with each answer that an act gave to it; two of them where it gave more."""
    return set(act.permissions.order_by().values_list("use", "stance").distinct()[:2])


def _with_names(permissions: QuerySet[Permission]) -> QuerySet[Permission]:
    return permissions.select_related(
        "recording", "company__party", "tool__company__party", "wording"
    ).order_by("id")


@dataclass(frozen=True, slots=True)
class Skipped:
    """What an undo left alone, or could not bring back: the first of it, and how many."""

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


def later_by(undo: Act, *, most: int = 100) -> Skipped:
    """The yeses that `undo` could not bring back and that nobody answered again since.

    At most `most` of them by name. As `consent.services.permissions.Undone.later`, but read from
    what was written, so that they are found on every later day too. Three queries at most.
    """
    if undo.undoes_id is None:
        return Skipped()
    wrote = undo.permissions.aggregate(first=Min("pk"), last=Max("pk"))
    slot = {name: OuterRef(name) for name in ("artist", "use", "scope", "territories")}
    in_slot = Permission.objects.filter(**slot)
    mine = in_slot.filter(act=undo)
    begun = Q(valid_from=None) | Q(valid_from__lte=undo.created_at)
    before = Q(pk__lt=wrote["first"]) & ~Q(act=undo.undoes_id)
    # What spoke before comes back without a beginning, what was given for later with its own.
    spoke = mine.filter(stance=Stance.ALLOW, valid_from=None)
    comes = mine.filter(stance=Stance.ALLOW, valid_from=OuterRef("valid_from"))
    left = list(
        Permission.objects.filter(
            before,
            Exists(mine),
            ~Exists(in_slot.filter(before & begun, pk__gt=OuterRef("pk"))),
            (begun & ~Exists(spoke)) | (~begun & ~Exists(comes)),
            ~Exists(in_slot.filter(pk__gt=wrote["last"])),
            artist=undo.artist_id,
            use__in=undo.permissions.order_by().values("use"),
            stance=Stance.ALLOW,
        )
        .order_by("id")
        .values_list("pk", flat=True)
    )
    if not left:
        return Skipped()
    shown = _with_names(Permission.objects.filter(pk__in=left[:most]))
    return Skipped(tuple(shown), len(left))
