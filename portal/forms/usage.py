"""What to show of what AI did. Days are those of the reader's zone."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent.identifiers import IdentifierError, normalise_isrc
from consent.queries.usage import UsageFilter, UsageKind
from consent.words import UseKind
from portal.forms.permissions import DayField

ANY = ("", _("All"))


class UsageForm(forms.Form):
    """The filters above the list of uses; each may be left empty."""

    tool = forms.ChoiceField(label=_("AI tool"), required=False)
    use = forms.ChoiceField(label=_("Use"), required=False, choices=[ANY, *UseKind.choices])
    what = forms.ChoiceField(
        label=_("What happened"),
        required=False,
        choices=[
            ANY,
            (UsageKind.TRAINING.value, _("A model was trained")),
            (UsageKind.OUTPUT.value, _("Something was made")),
        ],
    )
    allowed = forms.ChoiceField(
        label=_("Was it allowed?"),
        required=False,
        choices=[ANY, ("yes", _("Allowed")), ("no", _("Not allowed"))],
    )
    isrc = forms.CharField(label=_("ISRC"), required=False, max_length=20)
    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("Until"), required=False)

    def __init__(self, *args: Any, tools: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tool: Any = self.fields["tool"]
        tool.choices = [ANY, *tools]

    def clean_isrc(self) -> str:
        """In the stored form, however it is written."""
        text = str(self.cleaned_data["isrc"])
        if not text.strip():
            return ""
        try:
            return normalise_isrc(text)
        except IdentifierError as error:
            raise ValidationError(error.sentence) from error

    @property
    def only(self) -> UsageFilter:
        """What is asked for; a field that is wrong does not narrow."""
        data = self.cleaned_data if self.is_bound and hasattr(self, "cleaned_data") else {}
        since, until = data.get("since"), data.get("until")
        return UsageFilter(
            tool=data.get("tool") or None,
            use=data.get("use") or None,
            isrc=data.get("isrc") or None,
            kind=UsageKind(data["what"]) if data.get("what") else None,
            allowed={"yes": True, "no": False}.get(data.get("allowed", "")),
            since=_begin(since) if since else None,
            until=_begin(until + timedelta(days=1)) if until else None,
        )

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return self.only != UsageFilter()


class ExportForm(forms.Form):
    """Which days of what AI did to write into a file. Days are UTC, as in the file."""

    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("Until, that day included"), required=False)


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min)).astimezone(UTC)
