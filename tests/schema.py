"""Keeps the migrated, empty database between runs, for as long as no migration changes.

Migrating from nothing takes some seconds, most of which Django spends on drawing every
model at every step. The tables that come out are the same until a migration changes, or
one of the files that migrations read.
"""

import fcntl
import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import psycopg
from django.db import connections

from portal import servers

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = "liner_notes_migrated"
SOURCES = ("*/migrations/*.py", "*/sql/*.sql", "consent/grants.py", "requirements.lock")


def fingerprint() -> str:
    """Return a name for what migrations would make of an empty database."""
    digest = hashlib.sha256(django.__version__.encode())
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def migrated_template(home: servers.Home, folder: Path) -> Iterator[None]:
    """Let the test databases that are created inside start from the tables of the last run."""
    kept = folder / f"{fingerprint()}.sql"
    with (folder / "lock").open("a") as doorway:
        fcntl.flock(doorway, fcntl.LOCK_EX)
        if kept.exists():
            _restore(home, kept)
            connections["owner"].settings_dict["TEST"]["TEMPLATE"] = TEMPLATE
            fcntl.flock(doorway, fcntl.LOCK_UN)
            yield
        else:
            yield
            _keep(home, kept)


def _restore(home: servers.Home, kept: Path) -> None:
    with psycopg.connect(
        home.database_url(servers.OWNER_ROLE, "postgres"), autocommit=True
    ) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE])
        if found.fetchone():
            return  # another worker of this run was first
        connection.execute(f"CREATE DATABASE {TEMPLATE}".encode())
    _run(home, "psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "-f", str(kept), TEMPLATE)


def _keep(home: servers.Home, kept: Path) -> None:
    draft = kept.with_suffix(".draft")
    name = connections["owner"].settings_dict["NAME"]
    _run(home, "pg_dump", "--file", str(draft), name)
    for old in kept.parent.glob("*.sql"):
        old.unlink()
    draft.rename(kept)


def _run(home: servers.Home, program: str, *arguments: str) -> None:
    command = [str(servers.postgres_binaries() / program)]
    command += ["-h", str(home.sockets), "-U", servers.OWNER_ROLE, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
