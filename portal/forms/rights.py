"""Declaring what is one's own: how much of which right, in which recordings."""

from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from consent.words import Right
from portal.queries.rights import MOST, Unclaimed
from portal.templatetags.figures import count

TICKED, UNCLAIMED = "ticked", "unclaimed"


class PercentInput(forms.TextInput):
    """A percentage as one types it, with the comma or point of one's language."""

    def __init__(self) -> None:
        super().__init__(attrs={"inputmode": "decimal", "autocomplete": "off"})


def _percent(label: Any, help_text: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        help_text=help_text,
        required=False,
        localize=True,
        min_value=Decimal("0.01"),
        max_value=100,
        decimal_places=2,
        widget=PercentInput(),
    )


class RightsSearch(forms.Form):
    """The search box above one's own recordings."""

    q = forms.CharField(label=_("Title or ISRC"), required=False, max_length=200)


class DeclareForm(forms.Form):
    """What is declared. Nothing is filled in or ticked beforehand."""

    master = _percent(
        _("I own the recording: how much of it, in percent"),
        _("100, if nobody else owns a part of it. Empty: declare nothing of it."),
    )
    publishing = _percent(
        _("I wrote the song: how much of it, in percent"),
        _(
            "Words and music together: 100, if you wrote it alone. Empty: declare nothing of it. "
            "If a society or a publisher claims for you, leave it to them."
        ),
    )
    which = forms.ChoiceField(label=_("For which recordings"), widget=forms.RadioSelect)

    data: QueryDict

    def __init__(self, data: QueryDict | None = None, *, free: Unclaimed) -> None:
        super().__init__(data)
        self._free = free
        which: Any = self.fields["which"]
        which.choices = [
            (
                UNCLAIMED,
                _(
                    "All of mine where nobody claims it yet (the recording: %(master)s, the song: "
                    "%(publishing)s)"
                )
                % {
                    "master": count(free.counts[Right.MASTER]),
                    "publishing": count(free.counts[Right.PUBLISHING]),
                },
            ),
            (TICKED, _("Those that I tick in the list below")),
        ]

    def clean(self) -> dict[str, Any]:
        """Something of something is declared."""
        data = super().clean() or self.cleaned_data
        if self.errors:
            return data
        if not self.shares:
            self.add_error(None, _("Say how much of the recording, or of the song, is yours."))
        elif data["which"] == TICKED and not self.ticked:
            self.add_error("which", _("Tick the recordings in the list below."))
        elif data["which"] == UNCLAIMED and not any(map(self._free.counts.get, self.shares)):
            self.add_error("which", _("There is no recording of which nobody claims this."))
        return data

    @property
    def ticked(self) -> list[int]:
        """The keys that were ticked; the service checks that they are hers."""
        sent = self.data.getlist("recording") if self.is_bound else []
        return sorted({int(key) for key in sent if key.isdecimal() and len(key) < 19})

    @property
    def shares(self) -> dict[Right, int]:
        """What is declared, in basis points by right."""
        found = {}
        for right in (Right.MASTER, Right.PUBLISHING):
            share = self.cleaned_data.get(right.value)
            if share is not None:
                found[right] = int(share * 100)
        return found

    @property
    def recordings(self) -> dict[Right, list[int]]:
        """The keys of the recordings that are meant, by right; a query for each, or none.

        Together at most as many recordings as one declaration may be about.
        """
        if self.cleaned_data["which"] == TICKED:
            return dict.fromkeys(self.shares, self.ticked)
        most = MOST // len(self.shares)
        return {right: self._free.keys(right)[:most] for right in self.shares}

    @property
    def left(self) -> dict[Right, int]:
        """How many recordings of which nobody claims it are left for a later time, by right."""
        if self.cleaned_data["which"] == TICKED:
            return dict.fromkeys(self.shares, 0)
        most = MOST // len(self.shares)
        return {right: max(self._free.counts[right] - most, 0) for right in self.shares}
