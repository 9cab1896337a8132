"""Letting somebody in: who, as what, with what besides, until when."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.access import Reach
from portal.forms.permissions import DayField, end_of, lies_ahead
from portal.roles import (
    ADDABLE,
    ENTRUSTED_BY_THE_ARTIST,
    GUARDED,
    OWNERS,
    ROLE_SENTENCES,
    SCOPE_SENTENCES,
    Role,
    Scope,
    in_order,
)


class InviteForm(forms.Form):
    """One person to let in. What is offered is what the reader may give."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("She is told by e-mail. Nobody learns whether she signs in here already."),
    )
    role = forms.ChoiceField(label=_("As"), widget=forms.RadioSelect)
    answers = forms.BooleanField(
        label=_("As artist: may also answer"),
        required=False,
        initial=True,
        help_text=_("In a band some leave the answers to others. A no is everybody's at any time."),
    )
    manager_scopes = forms.MultipleChoiceField(
        label=_("A manager may also"), required=False, widget=forms.CheckboxSelectMultiple
    )
    assistant_scopes = forms.MultipleChoiceField(
        label=_("An assistant may also"), required=False, widget=forms.CheckboxSelectMultiple
    )
    until = DayField(
        label=_("Until, that day included"),
        required=False,
        help_text=_("Empty: until somebody ends it."),
    )

    def __init__(self, *args: Any, reach: Reach, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = [Role.MANAGER, Role.ASSISTANT]
        if Role.ARTIST in reach.roles:
            roles = [Role.ARTIST, *roles]
        else:
            del self.fields["answers"]
        role: Any = self.fields["role"]
        role.choices = [
            (one.value, f"{str(one.label).capitalize()}. {ROLE_SENTENCES[one]}") for one in roles
        ]
        self._offer("manager_scopes", self._givable(Role.MANAGER, reach))
        self._offer("assistant_scopes", self._givable(Role.ASSISTANT, reach))

    @staticmethod
    def _givable(role: Role, reach: Reach) -> Iterable[Scope]:
        scopes = ADDABLE[role] & reach.scopes
        if not OWNERS & set(reach.roles):
            scopes -= ENTRUSTED_BY_THE_ARTIST | {Scope.MANAGE_PEOPLE}
        return scopes - GUARDED if reach.is_minor else scopes

    def _offer(self, name: str, scopes: Iterable[Scope]) -> None:
        choices = [(one.value, SCOPE_SENTENCES[one]) for one in in_order(scopes)]
        if not choices:
            del self.fields[name]
            return
        field: Any = self.fields[name]
        field.choices = choices

    def clean_until(self) -> Any:
        """A day that lies ahead, or none."""
        day = self.cleaned_data["until"]
        if day is not None and not lies_ahead(day):
            raise forms.ValidationError(_("The end must lie ahead."))
        return day

    @property
    def scopes(self) -> list[str]:
        """What is added to the role that was chosen."""
        return list(self.cleaned_data.get(f"{self.cleaned_data['role']}_scopes", []))

    @property
    def may_answer(self) -> bool:
        """Whether somebody of a band answers too; for other roles it says nothing."""
        return bool(self.cleaned_data.get("answers", True))

    @property
    def ends_at(self) -> datetime | None:
        """The end as a moment, where there is one."""
        day = self.cleaned_data["until"]
        return end_of(day) if day is not None else None
