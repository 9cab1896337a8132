"""What was allowed for this recording, this use, this tool on that day?"""

from datetime import date, datetime, time, timedelta

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from consent.clock import now
from consent.identifiers import IdentifierError, normalise_isrc
from consent.models import LedgerEntry, Recording, Tool
from consent.queries.decision import Ask
from consent.queries.effective import explain, tools_for
from consent.words import UseKind
from portal.forms.permissions import DayInput
from portal.queries.rows import Reader, state_of
from portal.queries.why import reason_lines
from portal.views.permissions.common import PortalRequest, reader_of, tabs


class HistoryForm(forms.Form):
    """The question. Days are those of the reader's zone."""

    isrc = forms.CharField(label=_("ISRC of the recording"), max_length=20)
    use = forms.ChoiceField(label=_("Use"), choices=UseKind.choices)
    tool = forms.ChoiceField(label=_("AI tool"))
    day = forms.DateField(label=_("On this day"), widget=DayInput())
    known_on = forms.DateField(
        label=_("As it was known on"),
        required=False,
        widget=DayInput(),
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
        initial={"isrc": request.GET.get("isrc", ""), "tool": request.GET.get("tool", "")},
    )
    moments = _answers(form, reader) if form.is_bound and form.is_valid() else []
    return render(
        request,
        "portal/permissions/history.html",
        {
            "reader": reader,
            "form": form,
            "moments": moments,
            "changed": len({one["state"] for one in moments}) > 1,
            "tabs": tabs(reader, "history"),
        },
    )


def _answers(form: HistoryForm, reader: Reader) -> list[dict[str, object]]:
    """What held when the day began and when it ended; once where that was the same."""
    data = form.cleaned_data
    present = now()
    begin = timezone.make_aware(datetime.combine(data["day"], time.min))
    end = min(begin + timedelta(days=1, seconds=-1), present)
    known = _known(data["known_on"], present)
    found = []
    for at in (begin, end):
        ask = Ask(data["isrc"], data["use"], data["tool"], at=at)
        answered, steps = explain(ask, known_seq=known)
        [reasons] = reason_lines(steps)
        found.append(
            {
                "at": at,
                "seq": answered.seq,
                "state": state_of(steps, allowed=answered.decisions[0].allowed),
                "allowed": answered.decisions[0].allowed,
                "reasons": reasons,
            }
        )
    first, last = found
    same = [(r.sentence, r.position) for r in first["reasons"]] == [  # type: ignore[attr-defined]
        (r.sentence, r.position)
        for r in last["reasons"]  # type: ignore[attr-defined]
    ]
    return [last] if same else [first, last]


def _known(day: date | None, present: datetime) -> int | None:
    """The last ledger position that was written by the end of that day; None for today's."""
    if day is None:
        return None
    end = min(timezone.make_aware(datetime.combine(day, time.min)) + timedelta(days=1), present)
    last = LedgerEntry.objects.filter(recorded_at__lt=end).order_by("-seq").first()
    return 0 if last is None else last.seq
