"""Words and columns for staff: the portal's own speak to the artist (“Clone your voice”)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from consent.words import UseKind
from portal.templatetags.times import moment, term_day
from portal.words import USE_WORDS, use_words

USE_CHOICES: Final = [(use.value, USE_WORDS[use]) for use in UseKind]


class UseFilter(admin.SimpleListFilter):
    """By use kind, in the words for staff."""

    title = _("use kind")
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every use kind."""
        return [(value, str(label)) for value, label in USE_CHOICES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Only the chosen one."""
        return queryset.filter(use=self.value()) if self.value() else queryset


def when(name: str, label: Any) -> Callable[[Any], Any]:
    """A column with the moment that the field `name` holds."""

    @admin.display(description=label, ordering=name, empty_value="–")
    def column(row: Any) -> Any:
        at: datetime | None = getattr(row, name)
        return None if at is None else moment(at)

    return column


def last_day(name: str, label: Any) -> Callable[[Any], Any]:
    """A column with the last day of a term that ends with what the field `name` holds."""

    @admin.display(description=label, ordering=name, empty_value="–")
    def column(row: Any) -> Any:
        at: datetime | None = getattr(row, name)
        return None if at is None else term_day(at)

    return column


def about_use(name: str = "use") -> Callable[[Any], Any]:
    """A column with a use kind in the words for staff."""

    @admin.display(description=_("use kind"))
    def column(row: Any) -> str:
        found = row
        for part in name.split("."):
            found = getattr(found, part)
        return use_words(found)

    return column
