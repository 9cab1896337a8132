"""Doing what a request asks once, however often it is sent."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _

from consent import clock
from consent.errors import Refused
from portal.models import AnsweredRequest
from portal.services.sealed import seal, unseal

KEPT: Final = timedelta(days=30)
LONGEST_KEY: Final = 255
PURPOSE: Final = "answers"  # among them secrets of webhooks, shown once
WAIT_MS: Final = 2_000
LOCK_NOT_AVAILABLE: Final = "55P03"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as JSON, with its status; `replayed` when it was given before."""

    status: int
    body: Mapping[str, Any]
    replayed: bool = False


def digest_of(method: str, path: str, body: bytes) -> str:
    """What makes two requests the same: method, path and exact body."""
    return hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()


def perform_once(
    *, client: int, sandbox: bool, key: str, digest: str, act: Callable[[], Answer]
) -> Answer:
    """Do `act` in one transaction and keep its answer under `key`; for a sandbox, undo it first.

    Without a key it is simply done. With one, the same request again returns the kept answer for
    30 days; what was refused is not kept, so that it can be corrected under the same key. Two at
    once have one effect: the second waits for the first.

    Raises `Refused`: `idempotency_key` (not 1 to 255 printable characters), `idempotency_reused`
    (kept for another request), `idempotency_busy` (the first is still being worked on); and what
    `act` raises.
    """
    if not key:
        with transaction.atomic():
            return _done(act, sandbox)
    if len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Refused("idempotency_key", _("An idempotency key has 1 to 255 ASCII characters."))
    try:
        with transaction.atomic():
            kept = _begin(client, sandbox, key, digest)
            if kept is None:
                answer = _done(act, sandbox)
                AnsweredRequest.objects.filter(client=client, sandbox=sandbox, key=key).update(
                    status=answer.status, body=_sealed(key, answer)
                )
                return answer
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        raise Refused(
            "idempotency_busy",
            _("The first request with this key is still being worked on. Ask again."),
        ) from error
    if kept.digest != digest:
        raise Refused(
            "idempotency_reused", _("This key was used for another request. Choose a new one.")
        )
    body = unseal(PURPOSE, key.encode(), bytes(kept.body))
    return Answer(kept.status, json.loads(body), replayed=True)


def _sealed(key: str, answer: Answer) -> bytes:
    return seal(PURPOSE, key.encode(), json.dumps(answer.body).encode())


def _begin(client: int, sandbox: bool, key: str, digest: str) -> AnsweredRequest | None:
    """Take the key for this transaction; returns the row when it was taken before."""
    at = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        (before,) = cursor.fetchone()
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT_MS}ms"])
        cursor.execute(
            "INSERT INTO portal_answeredrequest"
            " (client_id, sandbox, key, digest, status, body, created_at)"
            " VALUES (%s, %s, %s, %s, 0, '\\x', %s)"
            " ON CONFLICT (client_id, sandbox, key) DO NOTHING RETURNING id",
            [client, sandbox, key, digest, at],
        )
        taken = cursor.fetchone() is not None
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [before])
    if taken:
        return None
    return AnsweredRequest.objects.get(client=client, sandbox=sandbox, key=key)


class _Undo(Exception):
    """Ends a trial."""


def _done(act: Callable[[], Answer], sandbox: bool) -> Answer:
    if not sandbox:
        return act()
    answer: Answer | None = None
    try:
        with transaction.atomic():
            answer = act()
            raise _Undo
    except _Undo:
        assert answer is not None
        return Answer(answer.status, {**answer.body, "sandbox": True})


def forget_answers() -> int:
    """Delete answers that are over; returns how many. For a clock."""
    deleted, __ = AnsweredRequest.objects.filter(created_at__lt=clock.now() - KEPT).delete()
    return deleted
