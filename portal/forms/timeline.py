"""What of a timeline to show."""

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.queries.timeline import WHAT


class TimelineForm(forms.Form):
    """The one filter above a timeline."""

    what = forms.ChoiceField(
        label=_("What"), required=False, choices=[("", _("Everything")), *WHAT]
    )
