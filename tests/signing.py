"""Signs a person in without the pages, for tests about something else."""

import time

from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY,
    AUTHENTICATION_METHODS_SESSION_KEY,
)
from django.test import Client

from portal.models import User


def sign_in(
    client: Client, user: User, *, second_factor: bool = False, just_confirmed: bool = False
) -> None:
    """Sign `user` in.

    With `second_factor` as after a code or a passkey; with `just_confirmed` as after typing
    the password again a moment ago, which granting asks for.
    """
    client.force_login(user)
    records = [{"method": "password", "at": time.time(), "reauthenticated": just_confirmed}]
    if second_factor:
        records.append({"method": "mfa", "at": time.time(), "reauthenticated": just_confirmed})
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = records
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
    session.save()
