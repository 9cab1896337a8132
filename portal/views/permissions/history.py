"""What was allowed for this recording, this use, this tool on that day?"""

from datetime import date, datetime, time, timedelta

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
from portal.queries.day import Day, Held, allowed_on
from portal.queries.rows import Reader
from portal.roles import Scope
from portal.views.permissions.common import PortalRequest, reader_of, tabs, tool_of


class HistoryForm(forms.Form):
    """The question. Days are those of the reader's zone."""

    isrc = forms.CharField(label=_("ISRC of the recording"), max_length=20)
    use = forms.ChoiceField(label=_("Use"), choices=UseKind.choices)
    tool = forms.ChoiceField(label=_("AI tool"))
    day = DayField(label=_("On this day"))
    known_on = DayField(
        label=_("As it was known on"),
        required=False,
        help_text=_("Empty: as it is known today."),
    )

    def __init__(self, *args: object, reader: Reader, tools: list[Tool], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._reader = reader
        choice = self.fields["tool"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(t.slug, f"{t.name} ({t.company.party.name})") for t in tools]

    def clean_isrc(self) -> str:
        """A recording of hers."""
        try:
            isrc = normalise_isrc(self.cleaned_data["isrc"])
        except IdentifierError as error:
            raise forms.ValidationError(error.sentence) from error
        if not Recording.objects.filter(isrc=isrc, billed__artist=self._reader.artist).exists():
            raise forms.ValidationError(_("No recording of yours has this ISRC."))
        return isrc

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
            for name in ("isrc", "tool", "use")
            if request.GET.get(name)
        },
    )
    found = None
    if form.is_bound and form.is_valid():
        try:
            found = _day(reader, form)
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
    return render(
        request,
        "portal/permissions/history.html",
        {
            "reader": reader,
            "form": form,
            "found": found,
            "held": _with_receipts(reader, form, found) if found is not None else [],
            "tabs": tabs(reader, "history"),
        },
    )


def _with_receipts(reader: Reader, form: HistoryForm, found: Day) -> list[tuple[Held, str]]:
    """Each answer of the day with the address of its receipt, empty for who may have no files."""
    if not reader.may(Scope.EXPORT):
        return [(held, "") for held in found.held]
    asked = {name: form.cleaned_data[name] for name in ("isrc", "use", "tool")}
    return [
        (
            held,
            reader.url("why_receipt")
            + "?"
            + urlencode({**asked, "at": moment(held.since), "known_seq": held.known_seq}),
        )
        for held in found.held
    ]


def _day(reader: Reader, form: HistoryForm) -> Day:
    data = form.cleaned_data
    present = now()
    begin, end = _bounds(data["day"], present)
    known = data["known_on"]
    return allowed_on(
        reader.artist,
        Recording.objects.get(isrc=data["isrc"]),
        use=data["use"],
        tool=tool_of(data["tool"]),
        begin=begin,
        end=end,
        known_at=None if known is None else _bounds(known, present)[1],
    )


def _bounds(day: date, present: datetime) -> tuple[datetime, datetime]:
    """The first and the last moment of a day of the reader's, as far as it has come."""
    begin = timezone.make_aware(datetime.combine(day, time.min))
    following = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    return begin, min(following - timedelta(microseconds=1), present)
