"""One world for all that is asked of it; whatever a request changes is undone after it."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.test import TransactionTestCase, override_settings

from tests.access.world import World, build_world


@pytest.fixture(scope="package")
def world(
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """Maren's side and Aoi's, with a month that was closed; see `tests.access.world`."""
    files: Path = tmp_path_factory.mktemp("files")
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(override_settings(PRIVATE_ROOT=files))
        quiet = logging.getLogger("django.request")  # thousands of refusals are no news here
        stack.callback(quiet.setLevel, quiet.level)
        quiet.setLevel(logging.ERROR)
        parameters = connections["owner"].get_connection_params()
        owner = stack.enter_context(psycopg.connect(**parameters, autocommit=True))

        def move(moment: datetime) -> None:
            owner.execute("SELECT ledger_move_demo_clock(%s)", [moment])

        try:
            owner.execute("SELECT ledger_open_demo()")
            move(datetime(2026, 1, 1, tzinfo=UTC))
            yield build_world(move)
        finally:
            TransactionTestCase._fixture_teardown(TransactionTestCase())  # type: ignore[attr-defined]
