"""Months, statements and payouts, for the operator to read. Nothing of money is edited here."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.admin.base import Panel, ScopedAdmin, Text
from portal.admin.words import when
from portal.templatetags.figures import money_micros, money_minor
from portal.templatetags.times import moment
from royalties.models import Payout, Period, Statement


@admin.register(Period)
class PeriodAdmin(ScopedAdmin):
    """Months, and how far each has been closed."""

    list_display = (
        "__str__",
        "state",
        when("sealed_at", gettext_lazy("sealed")),
        when("published_at", gettext_lazy("published")),
    )
    list_filter = ("state",)
    ordering = ("-starts_on",)

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Month"), thing
        yield _("State"), thing.get_state_display()
        yield _("Sealed"), moment(thing.sealed_at) if thing.sealed_at else "–"
        yield _("Published"), moment(thing.published_at) if thing.published_at else "–"

    def panels(self, request: HttpRequest, thing: Any) -> Iterable[Panel]:
        yield Panel(
            _("Closing"),
            [_("Part"), _("Tool"), _("State"), _("Attempts"), _("Last error")],
            [
                (
                    step.get_part_display(),
                    step.tool or "–",
                    step.get_state_display(),
                    step.attempts,
                    step.last_error,
                )
                for step in thing.steps.select_related("tool").order_by("id")[:200]
            ],
            empty=_("Not begun."),
        )


@admin.register(Statement)
class StatementAdmin(ScopedAdmin):
    """Statements as they were published."""

    list_display = (
        "period",
        "payee",
        "earned",
        "paid",
        when("published_at", gettext_lazy("published")),
    )
    list_filter = ("currency",)
    list_select_related = ("period", "party")
    search_fields = ("party__name",)
    ordering = ("-id",)

    @admin.display(description=gettext_lazy("payee"), ordering="party__name")
    def payee(self, statement: Statement) -> str:
        return str(statement.party)

    @admin.display(description=gettext_lazy("earned"))
    def earned(self, statement: Statement) -> str:
        return money_micros(statement.earned_micros, statement.currency)

    @admin.display(description=gettext_lazy("to the balance"))
    def paid(self, statement: Statement) -> str:
        return money_minor(statement.paid_minor, statement.currency)

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Month"), thing.period
        yield _("Payee"), thing.party
        yield _("Carried in"), money_micros(thing.carried_in_micros, thing.currency)
        yield _("Earned"), self.earned(thing)
        yield _("Held"), money_micros(thing.held_micros, thing.currency)
        yield _("To the balance"), self.paid(thing)
        yield _("Carried on"), money_micros(thing.carried_out_micros, thing.currency)
        yield _("Published"), moment(thing.published_at)
        yield "SHA-256", thing.digest


@admin.register(Payout)
class PayoutAdmin(ScopedAdmin):
    """Money that payees asked for."""

    list_display = ("payee", "amount", "state", when("requested_at", gettext_lazy("requested")))
    list_filter = ("state", "currency")
    list_select_related = ("party",)
    search_fields = ("party__name",)
    ordering = ("-id",)

    @admin.display(description=gettext_lazy("payee"), ordering="party__name")
    def payee(self, payout: Payout) -> str:
        return str(payout.party)

    @admin.display(description=gettext_lazy("amount"))
    def amount(self, payout: Payout) -> str:
        return money_minor(payout.amount_minor, payout.currency)

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Payee"), thing.party
        yield _("Amount"), self.amount(thing)
        yield _("State"), thing.get_state_display()
        yield _("Requested"), moment(thing.requested_at)
        yield _("By"), thing.requested_by or "–"
