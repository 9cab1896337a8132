"""Who is calling: a key in `Authorization: Bearer ln_live_…`, looked up at every request.

Uncached: a revoked key is worthless at the next request. What is looked up is one row by the key's
prefix; the secret has 256 random bits and is compared by its SHA-256.
"""

import hashlib
import re
import time
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, Final

from django.db import connection
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from consent.models import AICompany
from portal.api import limits
from portal.api.problems import unauthorised
from portal.models import ApiKey
from portal.services.clients import note_use

_SHAPE: Final = re.compile(r"Bearer +((ln_(?:live|test)_[0-9a-f]{8})_[A-Za-z0-9_-]{43})", re.I)
NOTED_EVERY_SECONDS: Final = 60.0

KEY_BY_PREFIX: Final = """
SELECT k.id, k.client_id, c.company_id, k.scopes, k.sandbox, k.digest
  FROM portal_apikey k JOIN portal_apiclient c ON c.id = k.client_id
 WHERE k.prefix = %s AND k.revoked_at IS NULL
"""

_noted: dict[int, float] = {}


@dataclass(frozen=True, slots=True)
class Caller:
    """The machine client of an AI company that makes a request, and what its key may do."""

    key: int
    client: int
    company_id: int
    scopes: frozenset[str]
    sandbox: bool

    is_authenticated = True

    @property
    def company(self) -> AICompany:
        """The company for which the client speaks; one query."""
        return AICompany.objects.select_related("party").get(pk=self.company_id)


def presented_key(request: HttpRequest) -> tuple[str, str]:
    """The prefix and the whole of the key that a request presents. Raises `Problem` (401)."""
    shape = _SHAPE.fullmatch(str(request.META.get("HTTP_AUTHORIZATION", "")))
    if shape is None:
        raise unauthorised()
    return shape[2], shape[1]


def caller_of(row: tuple[Any, ...] | None, secret: str, request: HttpRequest) -> Caller:
    """The caller whose row (`KEY_BY_PREFIX`) was found for `secret`. Raises `Problem` (401)."""
    if row is not None:
        digest = hashlib.sha256(secret.encode()).hexdigest()
        if compare_digest(str(row[5]), digest):
            return Caller(row[0], row[1], row[2], frozenset(row[3]), row[4])
    limits.take("bad_key", limits.address_of(request))
    raise unauthorised()


def authenticate(request: HttpRequest) -> Caller:
    """Who makes this request; one query. Raises `Problem`: 401, or 429 for trying many keys."""
    prefix, secret = presented_key(request)
    with connection.cursor() as cursor:
        cursor.execute(KEY_BY_PREFIX, [prefix])
        return caller_of(cursor.fetchone(), secret, request)


def note(caller: Caller) -> None:
    """Write down that a key was used, at most once a minute of this process: reading stays so."""
    now = time.monotonic()
    if now - _noted.get(caller.key, -NOTED_EVERY_SECONDS) < NOTED_EVERY_SECONDS:
        return
    _noted[caller.key] = now
    key = ApiKey.objects.filter(pk=caller.key).first()
    if key is not None:
        note_use(key)


class ApiKeyAuthentication(BaseAuthentication):
    """For the views of the framework; the hot path calls `authenticate` itself."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        return authenticate(request._request), None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Liner Notes"'
