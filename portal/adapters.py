"""Where our rules for sign-in differ from the library's defaults."""

from functools import lru_cache
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from portal import failures


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts by e-mail address."""

    def populate_username(self, request: Any, user: Any) -> None:
        """Do nothing: there are no user names."""

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt; answer 429 where the library would show the form again.

        A program that guesses passwords is told by the status, and people by the page.
        """
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as refusal:
            raise ImmediateHttpResponse(failures.too_many_requests(request)) from refusal


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors whose seeds are encrypted with a key from outside the database.

    The library's own `encrypt` returns what it is given, so a copy of the database would
    be a copy of everybody's second factor.
    """

    def encrypt(self, text: str) -> str:
        """Encrypt a seed with the newest key of ``settings.MFA_KEYS``."""
        return _keyring(tuple(settings.MFA_KEYS)).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt a seed with any key of ``settings.MFA_KEYS``.

        Raises ``cryptography.fernet.InvalidToken`` when none fits.
        """
        return _keyring(tuple(settings.MFA_KEYS)).decrypt(encrypted_text.encode()).decode()


@lru_cache(maxsize=4)
def _keyring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in keys])
