"""The second factor: who owes one, who has proved one, and where they are led."""

from importlib import import_module
from typing import Any
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest
from django.urls import reverse

from portal.models import User


def is_demanded(user: Any) -> bool:
    """Say whether the role of `user` demands a second factor."""
    try:
        roles = import_module("portal.roles")
    except ModuleNotFoundError as missing:
        if missing.name != "portal.roles":
            raise
        return bool(user.is_staff)
    return bool(roles.needs_mfa(user))


def is_proved(request: HttpRequest) -> bool:
    """Say whether this session was opened, or confirmed, with a second factor."""
    if not isinstance(request.user, User):
        return False
    # Not from the session itself: what it holds may belong to a sign-in that another
    # person began in this browser.
    records = get_authentication_records(request, request.user)
    return any(record.get("method") == "mfa" for record in records)


def address_to_prove_it(request: HttpRequest) -> str:
    """Return where to set up a second factor, or to prove the one that was set up elsewhere."""
    if isinstance(request.user, User) and is_mfa_enabled(request.user):
        return f"{reverse('mfa_reauthenticate')}?{urlencode({'next': request.get_full_path()})}"
    return reverse("mfa_index")


def remember_first_proof(
    request: HttpRequest, user: User, authenticator: Authenticator, **_: Any
) -> None:
    """Let setting up a first factor count as proving it: its code or key was just shown.

    Receives the library's signal `authenticator_added`. Adding a second factor to another
    one is no proof of that other one.
    """
    real = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    codes = authenticator.type == Authenticator.Type.RECOVERY_CODES
    if not codes and not real.exclude(pk=authenticator.pk).exists():
        record_authentication(request, user, "mfa", type=authenticator.type)
