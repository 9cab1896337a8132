"""What every test stands on: a database of its own, reached with both logins."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.test import TransactionTestCase
from django.test.utils import setup_databases, teardown_databases
from playwright.sync_api import Browser, expect, sync_playwright

from portal import servers
from tests.chromium import (
    find_chromium,
    pytest_collection_modifyitems,
    pytest_terminal_summary,
    pytest_testnodedown,
)
from tests.schema import migrated_template

__all__ = [
    "pytest_collection_modifyitems",
    "pytest_terminal_summary",
    "pytest_testnodedown",
]

pytest_plugins = ["tests.cast"]

# Tables that migrations fill and tests do not: emptying them would break what follows.
KEPT_TABLES = frozenset({"django_migrations", "django_content_type", "auth_permission"})

_seed_rows: dict[str, bytes] = {}


@pytest.fixture(scope="session")
def running_servers() -> Iterator[servers.Home]:
    """PostgreSQL and Valkey of this run's own; gone when the last process of the run ends."""
    home = servers.hold(servers.Home.of_this_checkout())
    assert home.temporary
    yield home
    servers.release(home)


@pytest.fixture(scope="session")
def django_db_setup(
    pytestconfig: pytest.Config,
    running_servers: servers.Home,
    django_test_environment: None,
    django_db_blocker: Any,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    """Create the test database as its owner, and lead the application's login to it.

    pytest-django would create databases for the aliases that tests use, which is
    ``default`` only. It mirrors ``owner``; nothing would be created, and the tests would
    run against whatever ``default`` points at.
    """
    with (
        django_db_blocker.unblock(),
        migrated_template(running_servers, pytestconfig.cache.mkdir("migrated")),
    ):
        created = setup_databases(
            verbosity=0, interactive=False, aliases={"owner": None}, serialized_aliases=set()
        )
        for alias in ("default", "owner"):
            name = connections[alias].settings_dict["NAME"]
            assert name.startswith("test_"), f"{alias} points at {name}: not a test database"
        _remember_seed_rows()
    yield
    with django_db_blocker.unblock():
        connections["default"].close()
        teardown_databases(created, verbosity=0)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium. Tests that ask for it are left out, by name, where there is none."""
    # The browser's own loop runs in this thread while tests ask the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    # Two processors for a browser, a server and another worker's tests: five seconds are too few.
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        # --no-sandbox: as root, which continuous integration is, Chromium starts in no other way.
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def _attempts_start_at_zero(request: pytest.FixtureRequest) -> Iterator[None]:
    """Forget counted attempts, so that no test is limited by another one's."""
    yield
    if "django_db_setup" in request.fixturenames or "running_servers" in request.fixturenames:
        cache.clear()


@pytest.fixture
def server_environment(running_servers: servers.Home, transactional_db: None) -> dict[str, str]:
    """The environment for a process of its own (a worker, a command) on this test's database."""
    name = connections["default"].settings_dict["NAME"]
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": running_servers.database_url(servers.APPLICATION_ROLE, name),
        "DATABASE_OWNER_URL": running_servers.database_url(servers.OWNER_ROLE, name),
        "REDIS_URL": running_servers.redis_url,
        "LINER_QUEUE": str(getattr(settings, "CELERY_TASK_DEFAULT_QUEUE", "liner")),
    }


@pytest.fixture
def owner(transactional_db: None) -> "Iterator[psycopg.Connection[psycopg.rows.TupleRow]]":
    """A connection of the owner's own, in autocommit, for what the application may not do."""
    parameters = connections["owner"].get_connection_params() | {"cursor_factory": None}
    with psycopg.connect(**parameters, autocommit=True) as connection:
        yield connection


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what settings wrote for a run in which no server was needed."""
    home = servers.Home.of_this_checkout()
    alone = home.temporary and not hasattr(config, "workerinput")
    if alone and not (home.state / "keeper.pid").exists():
        shutil.rmtree(home.state, ignore_errors=True)


# --- Emptying tables after transactional tests ----------------------------------------


def _superuser() -> "psycopg.Connection[psycopg.rows.TupleRow]":
    """Connect past every rule, which only the cluster of a test run lets us do."""
    home = servers.Home.of_this_checkout()
    assert home.temporary
    name = connections["owner"].settings_dict["NAME"]
    assert name.startswith("test_")
    return psycopg.connect(
        host=str(home.sockets), user="postgres", dbname=name, options="-c lock_timeout=10s"
    )


def _filled_tables(cursor: Any) -> list[str]:
    cursor.execute(
        "SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind = 'r' AND relname <> ALL(%s)",
        [sorted(KEPT_TABLES)],
    )
    tables = [name for (name,) in cursor.fetchall()]
    cursor.execute(
        " UNION ALL ".join(f"(SELECT '{table}' FROM {table} LIMIT 1)" for table in tables)
    )
    return [name for (name,) in cursor.fetchall()]


def _remember_seed_rows() -> None:
    """Keep a copy of the rows that migrations wrote, to put them back."""
    _seed_rows.clear()
    with _superuser() as connection, connection.cursor() as cursor:
        for table in _filled_tables(cursor):
            with cursor.copy(f"COPY {table} TO STDOUT".encode()) as copy:
                _seed_rows[table] = b"".join(bytes(part) for part in copy)


def _empty_tables(self: TransactionTestCase, *_: Any) -> None:
    """Empty every table that a test filled, past the triggers that refuse exactly that.

    Django's own way skips the mirror of a database, and fails on append-only tables.
    """
    with _superuser() as connection, connection.cursor() as cursor:
        tables = _filled_tables(cursor)
        if not tables:
            return
        # Foreign keys rest for this transaction; triggers that are always on do not, and
        # are switched off one by one.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "SELECT quote_ident(relname), quote_ident(tgname)"
            " FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE tgenabled = 'A' AND NOT tgisinternal AND quote_ident(relname) = ANY(%s)",
            [[*tables, *_seed_rows]],
        )
        always = cursor.fetchall()
        for table, name in always:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}".encode())
        for table in tables:
            cursor.execute(f"DELETE FROM {table}".encode())
        for table, rows in _seed_rows.items():
            with cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
                copy.write(rows)
        for table, name in always:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}".encode())


TransactionTestCase._fixture_teardown = _empty_tables  # type: ignore[attr-defined]
