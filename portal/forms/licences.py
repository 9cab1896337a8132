"""Offering the standard licence: for which uses, to whom, until when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from consent.models import AICompany
from consent.words import UseKind
from portal.forms.permissions import DayField, end_of, lies_ahead


class OfferForm(forms.Form):
    """What is offered. Nothing is ticked beforehand."""

    uses = forms.MultipleChoiceField(
        label=_("For these uses"),
        choices=UseKind.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The licence alone allows nothing: each use still needs your yes."),
    )
    companies = forms.MultipleChoiceField(
        label=_("To these AI companies"), widget=forms.CheckboxSelectMultiple
    )
    until = DayField(
        label=_("Until, that day included"),
        required=False,
        help_text=_(
            "Empty: until you end it, which you can do on any day. Days are those of UTC, the same "
            "for all who read it."
        ),
    )

    def __init__(self, *args: Any, companies: Sequence[AICompany], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._companies = {one.slug: one for one in companies}
        field: Any = self.fields["companies"]
        field.choices = [(one.slug, one.party.name) for one in companies]

    def clean_until(self) -> Any:
        """A day that lies ahead, or none."""
        day = self.cleaned_data["until"]
        if day is not None and not lies_ahead(day):
            raise forms.ValidationError(_("The end must lie ahead."))
        return day

    @property
    def chosen(self) -> list[AICompany]:
        """The companies that were ticked."""
        return [self._companies[slug] for slug in self.cleaned_data["companies"]]

    @property
    def ends_at(self) -> datetime | None:
        """The end as a moment, where there is one."""
        day = self.cleaned_data["until"]
        return end_of(day) if day is not None else None
