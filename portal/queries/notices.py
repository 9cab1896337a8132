"""What one person has been told, and may still see."""

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from portal.access import Access
from portal.models import Notice
from portal.notices import Told, names_of, render
from portal.roles import Scope


def notices_of(access: Access) -> QuerySet[Notice]:
    """The notices of this person about whom she may still reach, newest first.

    Does what delivery does: a notice about an artist is there while its reader may do what its
    `scope` says for that artist, and one about a label while she works for it.
    """
    allowed = Q(artist=None) & ~Q(scope=Scope.MANAGE_LABEL)
    if access.label_ids:
        allowed |= Q(
            artist=None, scope=Scope.MANAGE_LABEL, params__label__in=list(access.label_ids)
        )
    for scope in Scope:
        if scope is Scope.MANAGE_LABEL:
            allowed |= Q(scope=scope, artist__in=access.artists_of_label().values("pk"))
        elif keys := access.with_scope(scope):
            allowed |= Q(scope=scope, artist__in=keys)
    return Notice.objects.filter(allowed, recipient=access.user, withheld_at=None)


def told(access: Access, *, start: int = 0, limit: int = 20) -> Sequence[Told]:
    """A page of notices in words, newest first, in the active language; two queries."""
    rows = list(notices_of(access).select_related("artist__party")[start : start + limit])
    names = names_of(rows)
    return [render(row, names) for row in rows]


def unread(access: Access) -> int:
    """How many notices this person has not read; one query."""
    return notices_of(access).filter(read_at=None).count()
