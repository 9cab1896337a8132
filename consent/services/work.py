"""Doing the work that is written down in rows: take it, do it, find what was missed.

The row is the truth. A message through the broker only says "look at rows 7 and 8": when it is
lost, `sweep` finds the rows; when it comes twice, the second one finds nothing to do.
"""

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from celery import current_app
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from kombu import Connection
from kombu.pools import producers

from consent import clock
from consent.models import WorkRow, WorkState

logger = logging.getLogger(__name__)

LOOK = "work.look"
"""Name of the task that is told which rows to look at (`portal.tasks`)."""

WAKE_SECONDS = 1.0  # a request waits for the broker at most so long ...
ASK_AGAIN_SECONDS = 5.0  # ... and then nobody waits for it again for a while
MESSAGE_LIVES_SECONDS = 60.0  # an older wake-up is worthless: the sweeper has been there
ROWS_PER_MESSAGE = 20

type Handler = Callable[[Any], None]

_handlers: dict[type[WorkRow], Handler] = {}
_given_up: dict[type[WorkRow], Handler] = {}
_silent_until = 0.0


def handles[F: Callable[[Any], None]](model: type[WorkRow]) -> Callable[[F], F]:
    """Decorate the function that does the work of a row of `model`.

    It is called with the row, claimed, outside a transaction. It writes what it produces and
    calls `row.finish()` in one transaction; a row that it leaves running is finished for it.
    What it raises ends the attempt: the row is tried again later.
    """

    def register(function: F) -> F:
        _handlers[model] = function
        return function

    return register


def tells_when_given_up[F: Callable[[Any], None]](model: type[WorkRow]) -> Callable[[F], F]:
    """Decorate the function that tells whoever waits for a row of `model` that it was given up.

    For a row whose worker died at every attempt, so that no handler could say so. It is called
    with the row, in the transaction that gives it up.
    """

    def register(function: F) -> F:
        _given_up[model] = function
        return function

    return register


def kinds() -> list[type[WorkRow]]:
    """Every kind of row that somebody handles."""
    return list(_handlers)


def wake(*rows: WorkRow) -> None:
    """After commit, tell a worker to look at `rows`. Waits for a dead broker a second at most.

    Safe to call in any transaction and outside one. Nothing is lost when it fails.
    """
    by_kind: dict[str, list[Any]] = {}
    for row in rows:
        by_kind.setdefault(row._meta.label, []).append(row.pk)
    for label, keys in by_kind.items():
        for start in range(0, len(keys), ROWS_PER_MESSAGE):
            part = keys[start : start + ROWS_PER_MESSAGE]
            transaction.on_commit(partial(_send, label, part), robust=True)


def _send(label: str, keys: list[Any]) -> bool:
    """Send one wake-up. Returns whether the broker took it."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return False
    broker = Connection(
        settings.CELERY_BROKER_URL,
        connect_timeout=WAKE_SECONDS,
        transport_options={
            **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
            "socket_timeout": WAKE_SECONDS,
            "socket_connect_timeout": WAKE_SECONDS,
            "retry_on_timeout": False,
            "max_retries": 0,
        },
    )
    try:
        with producers[broker].acquire(block=True, timeout=WAKE_SECONDS) as producer:
            current_app.send_task(
                LOOK,
                [label, keys],
                producer=producer,
                retry=False,
                expires=MESSAGE_LIVES_SECONDS,
            )
    except Exception as error:
        # Whatever it is, the row is written and the request goes on.
        _silent_until = time.monotonic() + ASK_AGAIN_SECONDS
        logger.warning("The broker did not take a wake-up; the sweeper will: %s", error)
        return False
    return True


def look(label: str, keys: Iterable[Any]) -> int:
    """Do what is due among these rows; returns how many were worked on."""
    model: Any = apps.get_model(label)
    return sum(perform(model, key) for key in keys)


def perform(model: type[WorkRow], key: Any) -> bool:
    """Work on one row, if it is due and nobody else does. Returns whether it was tried.

    An error ends the attempt and is kept in the row; it is not raised.
    """
    handler = _handlers[model]
    row = model.claim(key, at=clock.now(), given_up=_given_up.get(model))
    if row is None:
        return False
    try:
        handler(row)
    except Exception as error:
        logger.exception("%s %s failed", model._meta.label, key)
        if not connection.in_atomic_block:
            # The attempt may have died of its connection; the row needs a working one.
            connection.close_if_unusable_or_obsolete()
        _end(row, f"{type(error).__name__}: {error}")
        return True
    _end(row)
    return True


def _end(row: WorkRow, error: str = "") -> None:
    """End this attempt, unless its handler has, or another worker has taken the row since."""
    with transaction.atomic():
        current = type(row)._default_manager.select_for_update().get(pk=row.pk)
        if current.state != WorkState.RUNNING or current.attempts != row.attempts:
            return
        if error:
            current.fail(error, at=clock.now())
        else:
            current.finish()


def sweep(*, at: datetime | None = None, most: int = 500) -> int:
    """Send a wake-up for every row that is due (at most `most` of a kind); returns how many.

    For a clock that calls it every few seconds. `at` is a UTC moment, now by default.
    """
    at = at or clock.now()
    found = 0
    for model in kinds():
        keys = list(model.due(at).values_list("pk", flat=True)[:most])
        found += len(keys)
        for start in range(0, len(keys), ROWS_PER_MESSAGE):
            if not _send(model._meta.label, keys[start : start + ROWS_PER_MESSAGE]):
                return found
    return found


def oldest_due(*, at: datetime | None = None) -> timedelta:
    """How long the row that has waited longest has been due; zero when nothing waits."""
    at = at or clock.now()
    waits = [
        at - first
        for model in kinds()
        if (first := model.due(at).values_list("next_at", flat=True).first()) is not None
    ]
    return max(waits, default=timedelta())
