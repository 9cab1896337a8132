"""What every test stands on: a database of its own, reached with both logins."""

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.test import TransactionTestCase
from django.test.utils import setup_databases, teardown_databases

from portal import servers

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
    with django_db_blocker.unblock():
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
        "LINER_TEST_QUEUE": str(getattr(settings, "CELERY_TASK_DEFAULT_QUEUE", "celery")),
    }


# --- Emptying tables after transactional tests ----------------------------------------


def _tables(cursor: Any) -> list[str]:
    cursor.execute(
        "SELECT quote_ident(relname) FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND relname <> ALL(%s) ORDER BY 1",
        [sorted(KEPT_TABLES)],
    )
    return [name for (name,) in cursor.fetchall()]


def _remember_seed_rows() -> None:
    """Keep a copy of the rows that migrations wrote, to put them back."""
    _seed_rows.clear()
    with connections["owner"].cursor() as cursor:
        for table in _tables(cursor):
            with cursor.copy(f"COPY {table} TO STDOUT") as copy:
                rows = b"".join(bytes(part) for part in copy)
            if rows:
                _seed_rows[table] = rows


def _empty_tables(self: TransactionTestCase, *_: Any) -> None:
    """Empty every table as the owner, past the triggers that refuse exactly that.

    Django's own way skips the mirror of a database, and fails on append-only tables.
    """
    # Not through Django: it forbids aliases that a test did not name.
    parameters = connections["owner"].get_connection_params()
    with psycopg.connect(**parameters, autocommit=True) as owner, owner.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")  # a thread that a test left in a transaction
        tables = _tables(cursor)
        cursor.execute(
            "SELECT quote_ident(relname), quote_ident(tgname)"
            " FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE tgenabled = 'A' AND NOT tgisinternal"
        )
        always = cursor.fetchall()
        disable = [f"ALTER TABLE {table} DISABLE TRIGGER {trigger}" for table, trigger in always]
        enable = [
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}" for table, trigger in always
        ]
        empty = [f"TRUNCATE {', '.join(tables)} RESTART IDENTITY"]
        cursor.execute(";".join(["BEGIN", *disable, *empty]))
        for table, rows in _seed_rows.items():
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(rows)
        cursor.execute(";".join([*enable, "COMMIT"]))


TransactionTestCase._fixture_teardown = _empty_tables  # type: ignore[attr-defined]
