"""What staff did, when and why."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import Access
from portal.admin.base import ScopedAdmin, Text
from portal.admin.words import when
from portal.models import StaffAct
from portal.queries.staff import acts_within, read_acts
from portal.templatetags.times import moment


class OpenedActs(ChangeList):
    """Opens what is sealed for one page of the list at a time."""

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page, and put beside each act what was sealed with it."""
        super().get_results(request)
        self.result_list: Any = list(self.result_list)
        for one in read_acts(self.result_list):
            one.act.__dict__["read"] = one


@admin.register(StaffAct)
class StaffActAdmin(ScopedAdmin):
    """The log of the admin: for a label, of what was done in its books."""

    for_labels = True
    list_display = ("about", "what", "by", "reason", when("at", gettext_lazy("when")))
    list_select_related = ("by", "label")
    search_fields = ("action", "by__name", "by__email")
    ordering = ("-id",)

    def within(self, access: Access) -> QuerySet[Any]:
        return acts_within(access)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list that opens its rows."""
        return OpenedActs

    @admin.display(description=gettext_lazy("what"), ordering="action")
    def what(self, act: StaffAct) -> str:
        return act.what

    @admin.display(description=gettext_lazy("about"))
    def about(self, act: StaffAct) -> str:
        return str(act.__dict__["read"].about) or _("(erased)")

    @admin.display(description=gettext_lazy("reason"))
    def reason(self, act: StaffAct) -> str:
        return str(act.__dict__["read"].reason) or _("(erased)")

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        [read] = read_acts([thing])
        yield _("When"), moment(thing.at, "exact")
        yield _("Who"), thing.by
        yield _("What"), f"{thing.what} ({thing.action})"
        yield _("About"), read.about or _("(erased)")
        yield _("Reason"), read.reason or _("(erased)")
        yield _("Label"), thing.label or "–"
