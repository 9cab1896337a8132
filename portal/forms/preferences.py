"""What a person chooses for herself."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

AREAS = frozenset(
    {"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian",
     "Pacific"}
)  # fmt: skip


def time_zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """The zones by area, as a list to choose from; `UTC` comes first."""
    areas: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(available_timezones()):
        area, _slash, place = name.partition("/")
        if area in AREAS and place:
            areas.setdefault(area, []).append((name, place.replace("_", " ")))
    return [("UTC", [("UTC", "UTC")]), *sorted(areas.items())]


class PreferencesForm(forms.Form):
    """Name, language, time zone."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=200,
        required=False,
        help_text=_("Others see it wherever you did something. Empty: they see your address."),
    )
    locale = forms.ChoiceField(label=_("Language"), choices=lambda: settings.LANGUAGES)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), help_text=_("All times are shown in this zone.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone: Any = self.fields["time_zone"]
        zone.choices = time_zones()
        now = str(self.initial.get("time_zone", "UTC"))
        if not any(now == name for _area, names in zone.choices for name, _word in names):
            zone.choices = [*zone.choices, (now, [(now, now)])]  # an older name of a zone
