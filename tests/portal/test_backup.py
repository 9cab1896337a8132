"""A backup is restored as deploy/README.md says, and what came back is audited."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connections

from consent.models import LedgerEntry
from consent.queries.ledger import latest_checkpoint
from consent.services.sealing import seal_ledger
from portal import servers
from tests.consent.ledger_story import tell_story

ROOT = Path(__file__).resolve().parents[2]
RESTORED = "restored_from_a_dump"


def blocks(*, after: str) -> list[str]:
    page = (ROOT / "deploy" / "README.md").read_text()
    part = page.split(f"## {after}\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", part, re.DOTALL)


@pytest.fixture
def empty_database(running_servers: servers.Home, transactional_db: None) -> Iterator[str]:
    """As the page has it made: it belongs to the owner's login."""
    sockets, name = str(running_servers.sockets), RESTORED + str(os.getpid())
    with psycopg.connect(
        host=sockets, user=servers.OWNER_ROLE, dbname="postgres", autocommit=True
    ) as owner:
        owner.execute(f"CREATE DATABASE {name}".encode())
        yield name
        # A login that has just gone may still be leaving: the server waits for it, where
        # FORCE would want a right over other logins that the owner does not have.
        owner.execute(f"DROP DATABASE {name}".encode())


def test_a_restored_dump_is_the_ledger_that_was_signed(
    running_servers: servers.Home,
    server_environment: dict[str, str],
    empty_database: str,
    tmp_path: Path,
) -> None:
    tell_story()
    seal_ledger()
    note = latest_checkpoint()
    assert note is not None
    (tmp_path / "checkpoint.txt").write_text(note.note)
    connections["default"].close()
    dump, restore = blocks(after="Backup and restore")
    tools = servers.postgres_binaries()
    paths = {"PATH": f"{tools}:{os.environ['PATH']}", "LINER_LEDGER_SINKS": ""}
    manage = f'"{sys.executable}" "{ROOT / "manage.py"}"'

    def paste(lines: str, **environment: str) -> str:
        done = subprocess.run(
            ["sh", "-euc", lines.replace("./manage.py", manage)],
            cwd=tmp_path,
            env={**server_environment, **paths, **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    paste(dump)
    said = paste(
        restore,
        DATABASE_URL=running_servers.database_url(servers.APPLICATION_ROLE, empty_database),
        DATABASE_OWNER_URL=running_servers.database_url(servers.OWNER_ROLE, empty_database),
    )
    assert f"Read entries 1 to {LedgerEntry.objects.count()}" in said
    assert "Nothing is wrong." in said
    with (
        psycopg.connect(
            host=str(running_servers.sockets),
            user=servers.APPLICATION_ROLE,
            dbname=empty_database,
        ) as application,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        application.execute("UPDATE consent_ledgerentry SET body = body")
