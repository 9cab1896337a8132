"""What was allowed for this recording, this use, this tool or company on that day?"""

from datetime import date, datetime, time, timedelta
from operator import itemgetter
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from consent.clock import now
from consent.errors import Refused
from consent.identifiers import IdentifierError, normalise_isrc
from consent.leaves import moment
from consent.models import Recording, Tool
from consent.queries.effective import tools_for
from consent.words import UseKind
from portal.forms.permissions import DayField
from portal.queries.day import Day, Held, allowed_of_company, allowed_on
from portal.queries.rows import Reader
from portal.roles import Scope
from portal.views.permissions.common import PortalRequest, reader_of, tabs, tool_of


class HistoryForm(forms.Form):
    """The question. Days are those of the reader's zone."""

    isrc = forms.CharField(label=_("ISRC of the recording"), max_length=20)
    use = forms.ChoiceField(label=_("Use"), choices=UseKind.choices)
    tool = forms.ChoiceField(label=_("AI tool"), required=False)
    company = forms.ChoiceField(
        label=_("Or an AI company"),
        required=False,
        help_text=_("Then each tool is answered that the company had on that day."),
    )
    day = DayField(label=_("On this day"))
    known_on = DayField(
        label=_("As it was known on"),
        required=False,
        help_text=_("Empty: as it is known today."),
    )

    def __init__(self, *args: object, reader: Reader, tools: list[Tool], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._reader = reader
        companies = {t.company.slug: t.company.party.name for t in tools}
        for name, choices in (
            ("tool", [(t.slug, f"{t.name} ({t.company.party.name})") for t in tools]),
            ("company", sorted(companies.items(), key=itemgetter(1))),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", _("None")), *choices]
            field.error_messages["invalid_choice"] = _("Choose one of the list.")

    def clean_isrc(self) -> str:
        """A recording of hers."""
        try:
            isrc = normalise_isrc(self.cleaned_data["isrc"])
        except IdentifierError as error:
            raise forms.ValidationError(error.sentence) from error
        if not Recording.objects.filter(isrc=isrc, billed__artist=self._reader.artist).exists():
            raise forms.ValidationError(_("No recording of yours has this ISRC."))
        return isrc

    def clean(self) -> dict[str, Any]:
        """One tool or one company is asked about."""
        data = super().clean() or self.cleaned_data
        fine = "tool" in data and "company" in data
        if fine and bool(data["tool"]) == bool(data["company"]):
            self.add_error("tool", _("Choose one tool or one company."))
        return data

    def clean_day(self) -> date:
        """A day that has begun."""
        return _begun(self.cleaned_data["day"])

    def clean_known_on(self) -> date | None:
        """A day that has begun, or none."""
        day = self.cleaned_data["known_on"]
        return None if day is None else _begun(day)


def _begun(day: date) -> date:
    if day > timezone.localdate(now()):
        raise forms.ValidationError(_("That day has not come yet."))
    return day


@require_GET
def history(request: PortalRequest, slug: str) -> HttpResponse:
    """The answer as it was on a day, with its reasons; the same today and in ten years."""
    reader = reader_of(request, slug)
    form = HistoryForm(
        request.GET if "day" in request.GET else None,
        reader=reader,
        tools=list(tools_for(reader.artist).tools),
        initial={
            name: request.GET.get(name, "")
            for name in ("isrc", "tool", "company", "use")
            if request.GET.get(name)
        },
    )
    answers: list[dict[str, Any]] | None = None
    if form.is_bound and form.is_valid():
        try:
            answers = _answers(reader, form)
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
    return render(
        request,
        "portal/permissions/history.html",
        {
            "reader": reader,
            "form": form,
            "answers": answers,
            "whole_company": bool(form.is_bound and form.data.get("company")),
            "tabs": tabs(reader, "history"),
        },
    )


def _answers(reader: Reader, form: HistoryForm) -> list[dict[str, Any]]:
    """The day of the tool, or of each tool that the company had by the end of that day."""
    data = form.cleaned_data
    present = now()
    begin, end = _bounds(data["day"], present)
    known = data["known_on"]
    known_at = None if known is None else _bounds(known, present)[1]
    recording = Recording.objects.get(isrc=data["isrc"])
    if data["tool"]:
        tool = tool_of(data["tool"])
        day = allowed_on(
            reader.artist,
            recording,
            use=data["use"],
            tool=tool,
            begin=begin,
            end=end,
            known_at=known_at,
            to_herself=reader.is_own,
        )
        days = [(tool, day)]
    else:
        days = allowed_of_company(
            reader.artist,
            recording,
            use=data["use"],
            company=data["company"],
            begin=begin,
            end=end,
            known_at=known_at,
            to_herself=reader.is_own,
        )
    return [
        {"tool": tool, "found": found, "held": _with_receipts(reader, form, found, tool)}
        for tool, found in days
    ]


def _with_receipts(
    reader: Reader, form: HistoryForm, found: Day, tool: Tool
) -> list[tuple[Held, str]]:
    """Each answer of the day with the address of its receipt, empty for who may have no files."""
    if not reader.may(Scope.EXPORT):
        return [(held, "") for held in found.held]
    asked = {"isrc": form.cleaned_data["isrc"], "use": form.cleaned_data["use"], "tool": tool.slug}
    return [
        (
            held,
            reader.url("why_receipt")
            + "?"
            + urlencode({**asked, "at": moment(held.since), "known_seq": held.known_seq}),
        )
        for held in found.held
    ]


def _bounds(day: date, present: datetime) -> tuple[datetime, datetime]:
    """The first and the last moment of a day of the reader's, as far as it has come."""
    begin = timezone.make_aware(datetime.combine(day, time.min))
    following = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    return begin, min(following - timedelta(microseconds=1), present)
