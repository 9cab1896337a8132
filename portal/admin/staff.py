"""What staff did, when and why."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import Access
from portal.admin.base import ScopedAdmin, Text
from portal.admin.words import when
from portal.models import StaffAct
from portal.queries.staff import acts_within
from portal.templatetags.times import moment


@admin.register(StaffAct)
class StaffActAdmin(ScopedAdmin):
    """The log of the admin: for a label, of what was done in its books."""

    for_labels = True
    list_display = ("about", "action", "by", "reason", when("at", gettext_lazy("when")))
    list_select_related = ("by", "label")
    search_fields = ("action", "about", "reason", "by__name", "by__email")
    ordering = ("-id",)

    def within(self, access: Access) -> QuerySet[Any]:
        return acts_within(access)

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("When"), moment(thing.at, "exact")
        yield _("Who"), thing.by
        yield _("What"), thing.action
        yield _("About"), thing.about
        yield _("Reason"), thing.reason
        yield _("Label"), thing.label or "–"
