"""A clock that tests can move: the demo's own, which only the owner's login may touch."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connections

from royalties.queries.books import audit_books

type MoveClock = Callable[[datetime], None]


@pytest.fixture
def clock(transactional_db: None) -> Iterator[MoveClock]:
    """Open the ledger as a demo's, at the start of 2026; returns what moves its clock forward.

    After the test, whatever it did, the books must agree.
    """
    parameters = connections["owner"].get_connection_params()
    with psycopg.connect(**parameters, autocommit=True) as owner:

        def move(moment: datetime) -> None:
            owner.execute("SELECT ledger_move_demo_clock(%s)", [moment])

        owner.execute("SELECT ledger_open_demo()")
        move(datetime(2026, 1, 1, tzinfo=UTC))
        yield move
    assert audit_books() == []
