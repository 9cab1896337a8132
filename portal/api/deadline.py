"""An answer in time, or none: bounds how long a request waits for the database.

A limit that the database keeps itself (`statement_timeout`) does not help against a database that
hangs. One thread per process looks after the requests that wait, and shuts the socket of those
that waited too long: the driver then raises `OperationalError`, which is answered with 503.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

SECONDS: Final = 1.5
CONNECT_SECONDS: Final = 1.0
LOOK_EVERY_SECONDS: Final = 0.1

_lock = threading.Lock()
_waiting: dict[int, tuple[float, Any]] = {}
_watcher: threading.Thread | None = None
_connectors: ThreadPoolExecutor | None = None


@contextmanager
def within(seconds: float = SECONDS) -> Iterator[Callable[[], bool]]:
    """Let what is inside use the database for `seconds` at most.

    Gives a function that says whether half of the time is left.

    Raises `OperationalError` when the database was not reached or did not answer in time; the
    connection is then unusable, and Django replaces it with the next request.
    """
    until = time.monotonic() + seconds
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.connection is None:
        _reach(connection)
        connection.ensure_connection()
    _watch()
    me = threading.get_ident()
    with _lock:
        _waiting[me] = (until, connection.connection)
    try:
        yield lambda: time.monotonic() < until - seconds / 2
    finally:
        with _lock:
            _waiting.pop(me, None)


def _reach(connection: BaseDatabaseWrapper) -> None:
    """Find out, in bounded time, whether the database takes connections at all."""
    global _connectors
    if _connectors is None:
        _connectors = ThreadPoolExecutor(4, "reach-database")
    parameters = {**connection.get_connection_params(), "cursor_factory": None}
    for name in ("context", "prepare_threshold"):
        parameters.pop(name, None)
    reached = _connectors.submit(lambda: psycopg.connect(**parameters).close())
    try:
        reached.result(CONNECT_SECONDS)
    except Late:
        raise OperationalError("the database took too long to connect") from None
    except psycopg.Error as error:
        raise OperationalError(str(error)) from error


def _watch() -> None:
    global _watcher
    if _watcher is None or not _watcher.is_alive():
        with _lock:
            if _watcher is None or not _watcher.is_alive():
                _watcher = threading.Thread(target=_look_after, name="deadline", daemon=True)
                _watcher.start()


def _look_after() -> None:
    while True:
        time.sleep(LOOK_EVERY_SECONDS)
        now = time.monotonic()
        with _lock:  # while it is held, nobody gives back the socket that is shut
            for me, (until, waiting) in list(_waiting.items()):
                if now >= until:
                    del _waiting[me]
                    _cut(waiting)


def _cut(waiting: Any) -> None:
    try:
        with socket.socket(fileno=os.dup(waiting.pgconn.socket)) as wire:
            wire.shutdown(socket.SHUT_RDWR)
    except (OSError, psycopg.Error):
        return  # it has just ended by itself
