"""Form fields for what staff type: parties, recordings, countries, shares, days."""

import re
from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from consent.errors import Refused
from consent.identifiers import (
    IdentifierError,
    Scheme,
    display_isrc,
    is_valid,
    normalise,
    normalise_isrc,
)
from consent.models import Artist, Party, Recording
from consent.territories import normalise_territories
from portal.access import Access
from portal.forms.permissions import DayField, end_of, start_of

MOST_ISRCS = 20_000

if TYPE_CHECKING:
    _ModelChoice = forms.ModelChoiceField[Any]
else:
    _ModelChoice = forms.ModelChoiceField


class FirstDayField(DayField):
    """The day with which a term begins, as the moment at which it does."""

    def clean(self, value: Any) -> datetime | None:
        """Return the moment; None where nothing was chosen, and for today, which has begun."""
        day: date | None = super().clean(value)
        return None if day is None else start_of(day)


class LastDayField(DayField):
    """The last day of a term, which the term includes, as the moment at which it ends."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Until, that day included"))
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> datetime | None:
        """Return the moment, or None where nothing was chosen."""
        day: date | None = super().clean(value)
        return None if day is None else end_of(day)


class PercentField(forms.DecimalField):
    """A percentage with at most two places, as whole basis points."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=5, decimal_places=2, min_value=0, max_value=100, **kwargs)

    def clean(self, value: Any) -> int | None:
        """Return basis points: 6.55 is 655."""
        percent: Decimal | None = super().clean(value)
        return None if percent is None else int(percent * 100)


class CountriesField(forms.CharField):
    """Country codes with spaces or commas between; nothing is the world."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Countries"))
        kwargs.setdefault("help_text", _("Two letters each, as in NO DE JP. Empty: worldwide."))
        super().__init__(required=False, max_length=1000, **kwargs)

    def clean(self, value: Any) -> list[str]:
        """Return codes in upper case, sorted."""
        codes = re.split(r"[\s,;]+", super().clean(value).strip())
        try:
            return normalise_territories(code for code in codes if code)
        except Refused as refusal:
            raise ValidationError(refusal.sentence, code=refusal.code) from refusal


class IsrcsField(forms.CharField):
    """ISRCs of recordings within reach, in any written form, one per line or with commas.

    What is out of reach and what does not exist are refused with the same words.
    """

    widget = forms.Textarea(attrs={"rows": 5, "spellcheck": "false"})
    within: "QuerySet[Recording] | None" = None

    def clean(self, value: Any) -> list[Recording]:
        """Return the recordings, each once, by ISRC."""
        typed = [t for t in re.split(r"[\s,;]+", super().clean(value).strip()) if t]
        if len(typed) > MOST_ISRCS:
            raise ValidationError(_("That is more than 20 000 recordings."), code="too_many")
        wanted = {}
        for text in typed:
            try:
                wanted[normalise_isrc(text)] = text
            except IdentifierError as error:
                raise ValidationError(error.sentence, code=error.code) from error
        rows = Recording.objects.all() if self.within is None else self.within
        found = {r.isrc: r for r in rows.filter(isrc__in=wanted)}
        missing = [display_isrc(isrc) for isrc in sorted(set(wanted) - set(found))]
        if missing:
            raise ValidationError(
                _("Not among the recordings here: %(isrcs)s."),
                code="unknown_isrc",
                params={"isrcs": _some(missing)},
            )
        return [found[isrc] for isrc in sorted(found)]


class PartyChoice(_ModelChoice):
    """One of a few parties, by name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Party.objects.none(), **kwargs)


class PartyField(forms.CharField):
    """A party, by ISNI, IPI or DPID, or by a name that only one party here has."""

    def clean(self, value: Any) -> Party | None:
        """Return the party; None where nothing was typed and nothing is needed."""
        text = super().clean(value).strip()
        if not text:
            return None
        parties = list(_parties(text)[:2])
        if len(parties) != 1:
            raise ValidationError(
                _("“%(text)s” is not one party here: give its ISNI, IPI or DPID."),
                code="unknown_party",
                params={"text": text[:60]},
            )
        return parties[0]


def party_field(access: Access, **kwargs: Any) -> forms.Field:
    """For the operator any party, by what it is called; for label staff one of their labels."""
    if access.is_operator:
        return PartyField(
            help_text=_("An ISNI, IPI or DPID, or the exact name where only one has it."), **kwargs
        )
    field = PartyChoice(**kwargs)
    field.queryset = access.labels()
    labels = list(field.queryset)
    if len(labels) == 1:
        field.initial = labels[0].pk
        field.empty_label = None
    return field


class ArtistChoice(_ModelChoice):
    """One of the artists within reach, by name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Artist.objects.none(), **kwargs)


def _parties(text: str) -> QuerySet[Party]:
    for scheme in (Scheme.DPID, Scheme.ISNI, Scheme.IPI_BASE, Scheme.IPI_NAME):
        if is_valid(scheme, text):
            found = Party.objects.filter(
                identifiers__scheme=scheme,
                identifiers__value=normalise(scheme, text),
                identifiers__is_valid=True,
            )
            if found.exists():
                return found
    return Party.objects.filter(name=text)


def _some(texts: Collection[str], how_many: int = 20) -> str:
    shown = list(texts)[:how_many]
    more = len(texts) - len(shown)
    return ", ".join(shown) + (f", … (+{more})" if more else "")
