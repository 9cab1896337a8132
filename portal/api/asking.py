"""The hot path's one query: whose key it is, and everything that the decisions read.

Prepared once per connection and bound by the server, without the layers that an ORM needs: what
they cost would be half of the answer. The facts are brought only for a live key that may decide;
key and facts are of one snapshot, so a key that was revoked before is worthless.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest

from consent.queries.decision import FACTS_NOW, Ask, Loaded, parameters_now
from portal.api.authentication import Caller, caller_of, presented_key
from portal.api.deadline import within

KEY_AND_FACTS: Final = f"""
SELECT k.id, k.client_id,
       (SELECT c.company_id FROM portal_apiclient c WHERE c.id = k.client_id),
       k.scopes, k.sandbox, k.digest,
       CASE WHEN 'decide' = ANY (k.scopes) THEN {FACTS_NOW} END
  FROM portal_apikey k
 WHERE k.prefix = %s AND k.digest = %s AND k.revoked_at IS NULL
"""  # noqa: S608 — our own words


def bring(request: HttpRequest, asks: Sequence[Ask]) -> tuple[Caller, Loaded | None]:
    """Who asks, and the facts of the asks as of now; no facts for a key that may not decide.

    One query, in bounded time. Raises `Problem` (401, 429) for what is no live key, and
    `OperationalError` when the database did not answer.
    """
    prefix, secret = presented_key(request)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    row = _fetch([*parameters_now(asks), prefix, digest])
    caller = caller_of(row, secret, request)
    facts = None if row is None else row[6]
    return caller, None if facts is None else Loaded(facts)


def _fetch(parameters: list[Any]) -> tuple[Any, ...] | None:
    """One row. A connection that died since the last request is replaced, once."""
    connection = connections[DEFAULT_DB_ALIAS]
    fresh = connection.connection is None
    with within() as still:
        try:
            return _execute(connection, parameters)
        except OperationalError:
            if fresh or connection.in_atomic_block or not still():
                raise
            connection.close()
    with within():
        return _execute(connection, parameters)


def _execute(connection: BaseDatabaseWrapper, parameters: list[Any]) -> tuple[Any, ...] | None:
    with connection.wrap_database_errors:
        cursor = psycopg.Cursor(connection.connection)
        cursor.execute(KEY_AND_FACTS, parameters, prepare=True, binary=True)
        return cursor.fetchone()
