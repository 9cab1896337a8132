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
    "sign_in_url",
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
    filled in: a page that has other things to show too has `sign_in_url` in the form's place.
    """
    if signed_in_recently(request):
        return None
    messages.info(request, sentence)
    return leads(request, _reauthenticate(back or request.get_full_path()))


def sign_in_url(request: PortalRequest) -> str:
    """Where to sign in again, and then back to this page; empty after a recent sign-in."""
    return "" if signed_in_recently(request) else _reauthenticate(request.get_full_path())


def _reauthenticate(back: str) -> str:
    return f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"
