"""Where our rules for sign-in differ from the library's defaults."""

from functools import lru_cache
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts by e-mail address."""

    def populate_username(self, request: Any, user: Any) -> None:
        """Do nothing: there are no user names."""


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
