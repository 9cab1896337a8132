"""The files that one person asked for."""

import uuid

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from consent.errors import NotFound
from portal.access import Access
from portal.models import Export
from portal.roles import Scope


def exports_of(access: Access) -> QuerySet[Export]:
    """Exports of this person about artists whose work she may still export, newest first."""
    return Export.objects.filter(
        requested_by=access.user, artist__in=access.with_scope(Scope.EXPORT)
    ).select_related("artist__party")


def export_by_ref(access: Access, ref: uuid.UUID | str) -> Export:
    """One of them, by its reference. Raises `NotFound`: `no_such_export`."""
    export = exports_of(access).filter(ref=ref).first()
    if export is None:
        raise NotFound("no_such_export", _("There is no such file."))
    return export
