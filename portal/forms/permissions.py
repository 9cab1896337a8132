"""Forms of the permission pages. Days of terms are those of UTC; services get moments."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent import days
from consent.errors import Refused
from consent.models import Permission
from consent.scopes import Scope
from consent.territories import normalise_territories
from consent.words import LENT_KINDS, Stance, UseKind


class DayInput(forms.DateInput):
    """A day, as the browser's own calendar picks it."""

    input_type = "date"

    def __init__(self, **attributes: str) -> None:
        reach = {"min": days.FIRST_DAY.isoformat(), "max": days.LAST_DAY.isoformat()}
        super().__init__(format="%Y-%m-%d", attrs={**reach, **attributes})


class DayField(forms.DateField):
    """A day that a date here may be; any other is refused in the domain's own words."""

    widget = DayInput

    def to_python(self, value: Any) -> date | None:
        """The day, or None for none."""
        day: date | None = super().to_python(value)
        try:
            days.check_day_within_reach(day, "")
        except Refused as refusal:
            raise ValidationError(refusal.sentence, code=refusal.code) from refusal
        return day


def start_of(day: date) -> datetime | None:
    """The moment at which a term begins; None for today, here or in UTC, which has begun."""
    now = timezone.now()
    if days.beginning(day) <= now and day >= min(timezone.localdate(), now.astimezone(UTC).date()):
        return None
    return days.beginning(day)


def end_of(day: date) -> datetime:
    """The moment at which a term ends that includes this day."""
    return days.end(day)


def lies_ahead(day: date) -> bool:
    """Whether a term that includes this day has not ended yet."""
    return days.end(day) > timezone.now()


class AnswerForm(forms.Form):
    """One answer with all that may go with it: from, until, where, and a notice period."""

    stance = forms.ChoiceField(
        label=_("Your answer"), choices=Stance.choices, widget=forms.RadioSelect
    )
    valid_until = DayField(label=_("Until, that day included"), required=False)
    valid_from = DayField(
        label=_("From"),
        required=False,
        help_text=_("Empty: at once. Until then what holds now goes on."),
    )
    territories = forms.CharField(
        label=_("Where"),
        required=False,
        max_length=400,
        help_text=_(
            "Countries by two letters, as in NO, DE, JP. Empty: everywhere. An answer for some "
            "countries stands beside the one for everywhere."
        ),
    )
    notice_days = forms.IntegerField(
        label=_("Notice, in days"),
        required=False,
        min_value=0,
        max_value=3650,
        help_text=_(
            "With a yes: how long outputs of models that were licensed by then may go on after you "
            "take it back. Empty: as each licence says; for a voice, not at all."
        ),
    )
    whom = forms.ChoiceField(label=_("For"), required=False, widget=forms.RadioSelect)

    def __init__(
        self,
        *args: Any,
        use: str,
        about: Scope,
        current: Permission | None = None,
        may_grant: bool = True,
        minor: bool = False,
        stance: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if not may_grant:
            self.fields["stance"] = forms.ChoiceField(
                label=_("Your answer"),
                choices=[one for one in Stance.choices if one[0] != Stance.ALLOW],
                widget=forms.RadioSelect,
            )
        until = self.fields["valid_until"]
        if use in LENT_KINDS:
            until.help_text = _(
                "A yes to this always ends: at most %(years)s years from now. Days are those of "
                "UTC, the same for all who read it."
            ) % {"years": 5 if minor else 10}
        elif about.is_everything:
            until.help_text = _(
                "Empty: until you change it. After that day there is no answer, and that is a no. "
                "Days are those of UTC, the same for all who read it."
            )
        else:
            until.help_text = _(
                "Empty: until you change it. Days are those of UTC, the same for all who read it."
            )
        if about.tool is not None and about.recording is None:
            whom: Any = self.fields["whom"]
            whom.choices = [
                ("tool", _("Only %(tool)s") % {"tool": about.tool.name}),
                (
                    "company",
                    _("Every tool by %(company)s") % {"company": about.tool.company.party.name},
                ),
            ]
            self.initial.setdefault("whom", "tool")
        else:
            del self.fields["whom"]
        if current is not None:
            typed = dict(self.initial)
            self._start_from(current)
            self.initial.update(typed)
        if stance:
            self.initial["stance"] = stance
        said = self.data.get("stance", "") if self.is_bound else self.initial.get("stance", "")
        if use in LENT_KINDS and said == Stance.ALLOW:
            until.required = True
            until.error_messages["required"] = _("A yes to this always ends on a date. Choose one.")

    def _start_from(self, current: Permission) -> None:
        self.initial["stance"] = current.stance
        self.initial["notice_days"] = current.notice_days
        now = timezone.now()
        if current.valid_from is not None and current.valid_from > now:
            self.initial["valid_from"] = days.first_day(current.valid_from)
        if current.valid_until is not None and current.valid_until > now:
            self.initial["valid_until"] = days.last_day(current.valid_until)

    def clean_territories(self) -> list[str]:
        """Two-letter codes, sorted and each once."""
        text = self.cleaned_data["territories"].replace(",", " ").replace(";", " ")
        try:
            return list(normalise_territories(text.split()))
        except Refused as refusal:
            raise ValidationError(refusal.sentence, code=refusal.code) from refusal

    @property
    def moments(self) -> dict[str, datetime | None]:
        """`valid_from` and `valid_until` as moments, ready for the service."""
        begin, end = self.cleaned_data["valid_from"], self.cleaned_data["valid_until"]
        return {
            "valid_from": start_of(begin) if begin else None,
            "valid_until": end_of(end) if end else None,
        }

    def refuse(self, refusal: Refused) -> None:
        """Show what the domain refused, at the field that it is about."""
        self.add_error(refusal.field if refusal.field in self.fields else None, refusal.sentence)


class RecordingSearch(forms.Form):
    """The search box above a list of recordings."""

    q = forms.CharField(label=_("Title or ISRC"), required=False, max_length=200)


class RecordingListSearch(RecordingSearch):
    """The same, above the artist's own or above those on which her voice is heard."""

    VOICE = "voice"

    part = forms.ChoiceField(
        required=False, choices=[("", ""), (VOICE, "")], widget=forms.HiddenInput
    )


class ManyForm(forms.Form):
    """Which recordings, and which answer for each of them."""

    q = forms.CharField(label=_("Title or ISRC"), required=False, max_length=200)
    sender = forms.ChoiceField(label=_("Delivered by"), required=False)
    release = forms.ChoiceField(label=_("Release"), required=False)
    use = forms.ChoiceField(label=_("Use"), choices=UseKind.choices)
    unanswered = forms.BooleanField(
        label=_("Only those without an answer of their own to this use"), required=False
    )
    stance = forms.ChoiceField(
        label=_("Your answer for each of them"), choices=Stance.choices, widget=forms.RadioSelect
    )
    valid_until = DayField(
        label=_("Until, that day included"),
        required=False,
        help_text=_("Empty: until you change it. A yes to voice, name or image needs an end."),
    )

    def __init__(
        self,
        *args: Any,
        senders: Sequence[tuple[int, str]],
        releases: Sequence[tuple[int, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, found in (("sender", senders), ("release", releases)):
            field: Any = self.fields[name]
            field.choices = [("", _("All")), *((str(key), text) for key, text in found)]

    def clean(self) -> dict[str, Any]:
        """A voice is lent for a time; an end lies ahead."""
        data = super().clean() or self.cleaned_data
        end = data.get("valid_until")
        if end is not None and not lies_ahead(end):
            self.add_error("valid_until", _("The end must lie ahead."))
        elif data.get("use") in LENT_KINDS and data.get("stance") == Stance.ALLOW and not end:
            self.add_error("valid_until", _("A yes to this always ends on a date. Choose one."))
        return data

    @property
    def until(self) -> datetime | None:
        """The end as a moment, where there is one."""
        end = self.cleaned_data["valid_until"]
        return end_of(end) if end is not None and self.grants else None

    @property
    def grants(self) -> bool:
        """Whether the answer is a yes; only a yes has an end."""
        return bool(self.cleaned_data["stance"] == Stance.ALLOW)
