"""Where our rules for sign-in differ from the library's defaults."""

import re
from functools import lru_cache
from typing import Any

from allauth.account import app_settings as account_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest
from django.template.loader import render_to_string

from portal import failures
from portal.templatetags.times import plain_minute

_ADDRESS = re.compile(r"https?://\S+")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts by e-mail address."""

    def populate_username(self, request: Any, user: Any) -> None:
        """Do nothing: there are no user names."""

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMultiAlternatives:
        """The library's mail in text, and the same text in the look of the other mails."""
        facts: dict[str, Any] = context | {
            "site": settings.SITE_URL.rstrip("/"),
            "contact": settings.LEDGER_OPERATOR["contact"],
            "code_minutes": account_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT // 60,
            "reset_days": settings.PASSWORD_RESET_TIMEOUT // (24 * 60 * 60),
        }
        if at := context.get("timestamp"):
            facts["when"] = plain_minute(at)
        marked = {"Auto-Submitted": "auto-generated"} | (headers or {})
        message: EmailMultiAlternatives = super().render_mail(
            template_prefix, email, facts, headers=marked
        )
        text, _line, foot = str(message.body).partition("\n-- \n")
        page = {
            "title": message.subject,
            "parts": [part.splitlines() for part in map(str.strip, text.split("\n\n")) if part],
            # No more than whole lines of ours: what a browser calls itself is no link.
            "links": [line for line in text.splitlines() if _ADDRESS.fullmatch(line)],
            "code": context.get("code", ""),
            "why": " ".join(foot.splitlines()[1:]),
        }
        message.attach_alternative(render_to_string("portal/email/account.html", page), "text/html")
        return message

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
