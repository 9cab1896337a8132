"""Searching in the credits."""

from django import forms
from django.utils.translation import gettext_lazy as _


class CreditSearch(forms.Form):
    """The search box above the credits."""

    q = forms.CharField(label=_("Title or ISRC"), required=False, max_length=200)
