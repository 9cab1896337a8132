"""The ledger as its operator sees it: entries, checkpoints, audits, and alarms to explain."""

import re
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.models import (
    CheckpointSink,
    LedgerAlarm,
    LedgerAudit,
    LedgerCheckpoint,
    LedgerEntry,
)
from consent.services.audit import clear_alarm
from portal.access import Access
from portal.admin.base import Panel, ScopedAdmin, Text, yes_no
from portal.admin.doing import Doing, DoingForm, Done
from portal.admin.words import when
from portal.models import User
from portal.templatetags.times import moment


class ClearAlarm(Doing):
    name, action = "clear", "alarm.clear"
    title = gettext_lazy("Clear the alarm")
    sentence = gettext_lazy(
        "Only when it is clear what happened and that nothing false is allowed. When no alarm is "
        "open, allowing works again. Clearing repairs nothing: what is not put back opens another "
        "alarm with the next audit of the whole ledger, each night."
    )
    button = gettext_lazy("Clear it")

    def makes_sense(self, thing: Any) -> bool:
        return thing.cleared_at is None

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        alarm = clear_alarm(by=by, alarm=thing, reason=form.cleaned_data["reason"])
        return Done(alarm, _("The alarm is cleared."))


@admin.register(LedgerAlarm)
class AlarmAdmin(ScopedAdmin):
    """Audits that failed. While one is open, nothing new is allowed."""

    doings = (ClearAlarm(),)
    list_display = (
        "first_line",
        when("raised_at", gettext_lazy("raised")),
        when("cleared_at", gettext_lazy("cleared")),
    )
    ordering = (F("cleared_at").asc(nulls_first=True), "-id")

    @admin.display(description=gettext_lazy("problem"))
    def first_line(self, alarm: LedgerAlarm) -> str:
        return alarm.problem.partition("\n")[0][:200]

    def title_of(self, thing: Any) -> str:
        return self.first_line(thing)

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Raised"), moment(thing.raised_at, "exact")
        yield _("Problem"), _with_links(thing.problem)
        yield _("Cleared"), moment(thing.cleared_at) if thing.cleared_at else _("open")
        yield _("Because"), thing.cleared_because or "–"


def _with_links(problem: str) -> SafeString:
    """What is wrong, with every entry that is named leading to it."""
    entries = reverse("admin:consent_ledgerentry_changelist")
    return mark_safe(  # noqa: S308 — escaped first; what is put in are digits and our own address
        re.sub(r"\b(entry) (\d+)\b", rf'\1 <a href="{entries}?q=\2">\2</a>', escape(problem))
    )


@admin.register(LedgerAudit)
class AuditAdmin(ScopedAdmin):
    """The audits that ran."""

    list_display = (
        "entries",
        "from_outside",
        when("finished_at", gettext_lazy("ended")),
        "clean",
    )
    ordering = ("-id",)

    @admin.display(description=gettext_lazy("entries"), ordering="size")
    def entries(self, audit: LedgerAudit) -> str:
        return f"{audit.since + 1}–{audit.size}"

    @admin.display(description=gettext_lazy("checkpoints from outside"), ordering="outside")
    def from_outside(self, audit: LedgerAudit) -> int:
        return audit.outside

    @admin.display(description=gettext_lazy("clean"))
    def clean(self, audit: LedgerAudit) -> str:
        return yes_no(audit.is_clean)

    def title_of(self, thing: Any) -> str:
        return _("Audit of the entries %(entries)s") % {"entries": self.entries(thing)}

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Entries"), self.entries(thing)
        yield _("Checkpoints from outside"), thing.outside
        yield _("Began"), moment(thing.started_at, "exact")
        yield _("Ended"), moment(thing.finished_at, "exact")
        yield _("Clean"), yes_no(thing.is_clean)

    def panels(self, request: HttpRequest, thing: Any) -> Iterable[Panel]:
        yield Panel(
            _("What was wrong"),
            [_("Problem")],
            [(_with_links(problem),) for problem in thing.problems],
            empty=_("Nothing."),
        )


@admin.register(LedgerCheckpoint)
class CheckpointAdmin(ScopedAdmin):
    """Signed statements of the ledger's size and root."""

    list_display = ("size", when("sealed_at", gettext_lazy("sealed")), "key_name")
    ordering = ("-size",)

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Size"), thing.size
        yield _("Sealed"), moment(thing.sealed_at, "exact")
        yield _("Key"), thing.key_name
        yield _("Signed note"), thing.note


@admin.register(CheckpointSink)
class SinkAdmin(ScopedAdmin):
    """The places outside that hold our checkpoints."""

    list_display = (
        "name",
        "newest",
        "newest_there",
        when("pushed_at", gettext_lazy("pushed")),
        "state",
        "last_error",
    )
    ordering = ("name",)

    @admin.display(description=gettext_lazy("newest checkpoint"), ordering="wanted_size")
    def newest(self, sink: CheckpointSink) -> int:
        return sink.wanted_size

    @admin.display(description=gettext_lazy("newest one there"), ordering="pushed_size")
    def newest_there(self, sink: CheckpointSink) -> int:
        return sink.pushed_size

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Place"), thing.name
        yield _("Newest checkpoint"), thing.wanted_size
        yield _("Newest one there"), thing.pushed_size
        yield _("Pushed"), moment(thing.pushed_at) if thing.pushed_at else _("never")
        yield _("State"), thing.get_state_display()
        yield _("Last error"), thing.last_error or "–"


@admin.register(LedgerEntry)
class EntryAdmin(ScopedAdmin):
    """The leaves. What is personal beside them is not shown here."""

    list_display = ("position", "kind", when("recorded_at", gettext_lazy("recorded")), "act")
    search_fields = ("=seq", "=act", "=kind")
    search_help_text = gettext_lazy("A position, an act, or a kind as in permission.answered.")
    ordering = ("-seq",)

    @admin.display(description=gettext_lazy("position"), ordering="seq")
    def position(self, entry: LedgerEntry) -> int:
        return entry.seq

    def within(self, access: Access) -> QuerySet[Any]:
        return LedgerEntry.objects.all()

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Position"), thing.seq
        yield _("Kind"), thing.kind
        yield _("Recorded"), moment(thing.recorded_at, "exact")
        yield _("Act"), thing.act
        yield _("Body"), thing.body
        yield _("Leaf hash"), bytes(thing.leaf_hash).hex()
