"""What the artist's pages share: who reads, and what a form was refused for."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from consent.errors import Refused
from portal.models import User
from portal.views.permissions.common import (
    PortalRequest,
    leads,
    reader_of,
    recording_of,
    signed_in_recently,
)

__all__ = [
    "PortalRequest",
    "leads",
    "reader_of",
    "recording_of",
    "refuse",
    "sign_in_first",
    "user_of",
]


def user_of(request: PortalRequest) -> User:
    """Whoever makes the request. Only for pages that nobody else reaches."""
    assert isinstance(request.user, User)
    return request.user


def refuse(form: forms.Form, refusal: Refused) -> None:
    """Show what the domain refused, at the field that it is about."""
    form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence)


def sign_in_first(request: PortalRequest, sentence: str, back: str = "") -> HttpResponse | None:
    """For what gives something away after a long while: prove who you are, then go to `back`.

    By default that is this page. None: go on. What was typed is lost, so ask before the form is
    filled in.
    """
    if signed_in_recently(request):
        return None
    messages.info(request, sentence)
    again = reverse("account_reauthenticate")
    return leads(request, f"{again}?{urlencode({'next': back or request.get_full_path()})}")
