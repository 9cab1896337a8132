"""The hot path's one query: whose key it is, and everything that the decisions read.

Prepared once per connection and bound by the server, without the layers that an ORM needs: what
they cost would be half of the answer. The facts are brought only for a live key that may decide;
key and facts are of one snapshot, so a key that was revoked before is worthless.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import psycopg
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest

from consent.queries.decision import FACTS_NOW, Ask, Loaded, parameters_now
from consent.words import UseKind
from portal.api.authentication import Caller, caller_of, presented_key
from portal.api.deadline import within

KEY: Final = """
SELECT k.id, k.client_id,
       (SELECT c.company_id FROM portal_apiclient c WHERE c.id = k.client_id),
       k.scopes, k.sandbox, k.digest{facts}
  FROM portal_apikey k
 WHERE k.prefix = %s AND k.digest = %s AND k.revoked_at IS NULL
"""


@lru_cache(maxsize=len(UseKind))
def _query(uses: int) -> str:
    """The query for questions about so many use kinds: facts are brought for each by itself."""
    once = f", CASE WHEN 'decide' = ANY (k.scopes) THEN {FACTS_NOW} END"
    return KEY.format(facts=once * uses)


def bring(request: HttpRequest, asks: Sequence[Ask]) -> tuple[Caller, dict[str, Loaded]]:
    """Who asks, and the facts of the asks as of now by use kind; none if the key may not decide.

    One query, in bounded time. Raises `Problem` (401, 429) for what is no live key, and
    `OperationalError` when the database did not answer.
    """
    prefix, secret = presented_key(request)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    by_use: dict[str, list[Ask]] = {}
    for ask in asks:
        by_use.setdefault(ask.use, []).append(ask)
    parameters = [value for part in by_use.values() for value in parameters_now(part)]
    row = _fetch(_query(len(by_use)), [*parameters, prefix, digest])
    caller = caller_of(row, secret, request)
    facts = () if row is None else row[6:]
    return caller, {
        use: Loaded(found) for use, found in zip(by_use, facts, strict=True) if found is not None
    }


def _fetch(query: str, parameters: list[Any]) -> tuple[Any, ...] | None:
    """One row. A connection that died since the last request is replaced, once."""
    connection = connections[DEFAULT_DB_ALIAS]
    fresh = connection.connection is None
    with within() as still:
        try:
            return _execute(connection, query, parameters)
        except OperationalError:
            if fresh or connection.in_atomic_block or not still():
                raise
            connection.close()
    with within():
        return _execute(connection, query, parameters)


def _execute(
    connection: BaseDatabaseWrapper, query: str, parameters: list[Any]
) -> tuple[Any, ...] | None:
    with connection.wrap_database_errors:
        cursor = psycopg.Cursor(connection.connection)
        cursor.execute(query, parameters, prepare=True, binary=True)
        return cursor.fetchone()
