"""Decision tokens: a question, its answer and the ledger position, signed, so that it replays.

    ln1.<payload, base64url of a JSON array>.<HMAC-SHA256 of "ln1.<payload>.<company>", base64url>

The array is `[isrc, use, tool, model version or null, territory or null, at, seq, allowed]`, with
`at` in microseconds since 1970 (UTC) and `allowed` 1 or 0. Anybody can read it; only we can make
it, and the company that asked hears the same answer again, because `at` and `seq` fix what is
looked at. Which company that was (the key of its party) is in the signature alone: to any other
the token is like one that was never made. The hot path writes nothing: the token is what a client
attaches to what it later reports.

The key is made from `SECRET_KEY`. Tokens made before it was changed stay good for as long as the
former key is among `SECRET_KEY_FALLBACKS`; the question inside stays readable, and can be asked
again with `at` and `known_seq`, for ever.
"""

import hmac
import json
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from consent.errors import Refused
from consent.queries.decision import Ask

VERSION: Final = "ln1"
LONGEST: Final = 1_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Decided:
    """What a token says: the question with its moment, and what was answered at `seq`."""

    ask: Ask
    at: datetime
    seq: int
    allowed: bool


def sign_decision(ask: Ask, *, company: int, at: datetime, seq: int, allowed: bool) -> str:
    """The token of one decision, for the `company` (key of its party) that asked.

    `at` (UTC) is the moment that was answered for.
    """
    payload = _ENCODE(
        [
            ask.isrc,
            ask.use,
            ask.tool,
            None if ask.model is None else str(ask.model),
            ask.territory,
            (at - EPOCH) // MICROSECOND,
            seq,
            int(allowed),
        ]
    )
    text = f"{VERSION}.{_encode(payload.encode())}"
    return f"{text}.{_encode(_mac(str(settings.SECRET_KEY), text, company))}"


def read_decision(token: str, *, company: int) -> Decided:
    """What a token says that we gave to this `company` (key of its party).

    Raises `Refused` (`decision_token`) for any other text, a token of another company included.
    """
    try:
        version, payload, mac = token.split(".") if len(token) <= LONGEST else ("", "", "")
        signature = _decode(mac)
        text = f"{version}.{payload}"
        keys = [str(settings.SECRET_KEY), *map(str, settings.SECRET_KEY_FALLBACKS)]
        genuine = version == VERSION and any(
            hmac.compare_digest(signature, _mac(key, text, company)) for key in keys
        )
        if not genuine:
            raise ValueError
        isrc, use, tool, model, territory, at, seq, allowed = json.loads(_decode(payload))
    except (ValueError, NotBase64) as error:
        raise Refused(
            "decision_token", _("This is no decision that we gave you."), field="decision"
        ) from error
    moment = EPOCH + timedelta(microseconds=at)
    ask = Ask(isrc, use, tool, territory, moment, None if model is None else uuid.UUID(model))
    return Decided(ask, moment, seq, bool(allowed))


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"liner notes decision token 1", sha256)


def _mac(secret: str, text: str, company: int) -> bytes:
    return hmac.digest(_key(secret), f"{text}.{company}".encode(), "sha256")


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii", "strict") + b"=" * (-len(text) % 4))
