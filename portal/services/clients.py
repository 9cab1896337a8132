"""Keys for the machines of AI companies: shown once, kept as a digest, revoked at once."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consent import clock
from consent.errors import Refused, refused_by
from consent.models import AICompany
from portal.models import ApiClient, ApiKey, User
from portal.roles import ApiScope

# ln_live_3f9a0c1d_<43 characters>: who finds one in a repository knows whose door it opens.
_SHAPE: Final = re.compile(r"(ln_(?:live|test)_[0-9a-f]{8})_([A-Za-z0-9_-]{43})")
SECRET_BYTES: Final = 32
SEEN_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key. `secret` is the whole of it, and is nowhere else: show it once."""

    key: ApiKey
    secret: str


@transaction.atomic
def create_api_client(*, by: User | None, company: AICompany, name: str) -> ApiClient:
    """Register a system of an AI company. Raises `Refused`: `api_client` for a name in use."""
    client = ApiClient(company=company, name=name.strip(), created_at=clock.now(), created_by=by)
    _check(client)
    client.save()
    return client


@transaction.atomic
def create_api_key(
    *,
    by: User | None,
    client: ApiClient,
    scopes: Iterable[ApiScope | str],
    sandbox: bool = False,
) -> CreatedKey:
    """Make a key of 256 random bits; only its SHA-256 is kept.

    A client has two live keys at most in each mode, so that one can replace the other. Raises
    `Refused`: `two_live_keys`, `key_scopes`, or the scope that there is not.
    """
    ApiClient.objects.select_for_update().get(pk=client.pk)
    taken = set(
        ApiKey.objects.filter(client=client, sandbox=sandbox, revoked_at=None).values_list(
            "slot", flat=True
        )
    )
    free = sorted({1, 2} - taken)
    if not free:
        raise Refused("two_live_keys", _("There are two live keys. Revoke one first."))
    prefix = f"ln_{'test' if sandbox else 'live'}_{secrets.token_hex(4)}"
    secret = f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    asked = {str(scope) for scope in scopes}
    key = ApiKey(
        client=client,
        prefix=prefix,
        digest=_digest(secret),
        scopes=[scope for scope in ApiScope.values if scope in asked]
        + sorted(asked - set(ApiScope.values)),
        sandbox=sandbox,
        slot=free[0],
        created_at=clock.now(),
        created_by=by,
    )
    _check(key)
    key.save()
    return CreatedKey(key=key, secret=secret)


@transaction.atomic
def revoke_api_key(*, by: User | None, key: ApiKey) -> ApiKey:
    """Make a key worthless from the next request on. Doing it again changes nothing."""
    key = ApiKey.objects.select_for_update(of=("self",)).get(pk=key.pk)
    if key.revoked_at is None:
        key.revoked_at, key.revoked_by = clock.now(), by
        key.save(update_fields=["revoked_at", "revoked_by"])
    return key


def find_key(presented: str) -> ApiKey | None:
    """The live key that was presented, with its client and company; None for anything else.

    One query by the key's prefix, none for what does not look like a key. Uncached: a revoked
    key is None at the next call. Call `note_use` once the request is answered.
    """
    shape = _SHAPE.fullmatch(presented)
    if shape is None:
        return None
    key = (
        ApiKey.objects.select_related("client__company__party")
        .filter(prefix=shape[1], revoked_at=None)
        .first()
    )
    if key is None or not compare_digest(key.digest, _digest(presented)):
        return None
    return key


def note_use(key: ApiKey) -> None:
    """Write down that a key was used, at most once a minute, so that reading stays reading."""
    now = clock.now()
    before = now - SEEN_EVERY
    if key.last_used_at is not None and key.last_used_at > before:
        return
    ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=before), pk=key.pk).update(
        last_used_at=now
    )


def _check(row: ApiClient | ApiKey) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        raise refused_by(error) from error


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
