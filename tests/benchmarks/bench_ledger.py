"""Sixteen writers at once on one ledger, on a database that does flush to its disk.

Beside the service (one answer: its lock, act, fact and leaf) stand the leaf alone and a bare row in
a table of its own, each in a transaction, in the same run on the same server. Each is written by
sixteen processes, and by sixteen threads of two, which is how the web server writes.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from statistics import median

import psycopg
import pytest

from portal import servers
from tests.benchmarks.ledger_writer import START

WRITERS = 16
EACH = int(os.environ.get("LINER_TEST_WRITES", "250"))
ROOT = Path(__file__).resolve().parents[2]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A database of its own that keeps what it confirms; the environment that leads to it."""
    home = servers.hold(servers.Home(state=tmp_path / "state"))
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("LINER_", "DATABASE_", "REDIS_"))
    }
    environment |= {"LINER_STATE": str(home.state), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    try:
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env=environment,
            check=True,
        )
        yield environment
    finally:
        servers.release(home)
        servers.wipe(home)


def test_sixteen_writers_at_once(durable: dict[str, str]) -> None:
    """The bar: 1 000 changes a second, 95 of 100 within 50 ms, and no number lost."""
    home = servers.Home(state=Path(durable["LINER_STATE"]))
    with psycopg.connect(home.database_url(servers.OWNER_ROLE), autocommit=True) as owner:
        artists = [
            owner.execute(
                "INSERT INTO consent_party (ref, kind, name, language, created_at) VALUES"
                " (gen_random_uuid(), 'person', %s, '', now()) RETURNING id",
                [f"Writer {i}"],
            ).fetchone()
            for i in range(WRITERS)
        ]
        keys = [row[0] for row in artists if row is not None]
        for key in keys:
            owner.execute("INSERT INTO consent_artist VALUES (%s, %s)", [key, f"writer-{key}"])
        owner.execute("CREATE TABLE bench_row (id bigserial PRIMARY KEY, n integer)")
        owner.execute(f"GRANT ALL ON bench_row, bench_row_id_seq TO {servers.APPLICATION_ROLE}")
        say(f"\n{WRITERS} writers, {EACH} changes each, load {os.getloadavg()[0]:.1f}")
        say(f"{'what':10}{'processes':>12}{'changes/s':>12}{'median':>12}{'p95':>12}")
        for what, processes in product(("row", "leaf", "answer"), (WRITERS, 2)):
            rate, took = race(owner, durable, what, [keys[i::processes] for i in range(processes)])
            p95 = took[int(len(took) * 0.95)]
            say(f"{what:10}{processes:>12}{rate:>12.0f}{median(took):>9.1f} ms{p95:>9.1f} ms")
        found = owner.execute(
            "SELECT count(*), min(seq), max(seq), (SELECT seq FROM consent_ledgerhead)"
            " FROM consent_ledgerentry"
        ).fetchone()
    assert found is not None
    count, first, last, head = found
    assert (first, last, head) == (1, count, count), "the ledger has a gap"
    say(f"{count} leaves, gapless")


def race(
    owner: psycopg.Connection[tuple[object, ...]],
    environment: dict[str, str],
    what: str,
    artists: list[list[object]],
) -> tuple[float, list[float]]:
    """Let all writers go at once, a process for each list of artists, in it a writer for each.

    Returns changes per second, and every duration, sorted.
    """
    owner.execute("SELECT pg_advisory_lock(%s)", [START])
    writers = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.benchmarks.ledger_writer", what, str(EACH)),
                *map(str, keys),
            ],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
        )
        for keys in artists
    ]
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted"
    )
    deadline = time.monotonic() + 120
    while (owner.execute(waiting, [START]).fetchone() or (0,))[0] != WRITERS:
        assert time.monotonic() < deadline, "the writers did not come up"
        time.sleep(0.05)
    begin = time.perf_counter()
    owner.execute("SELECT pg_advisory_unlock(%s)", [START])
    said = [json.loads(writer.communicate()[0]) for writer in writers]
    seconds = max(one["seconds"] for one in said)
    assert seconds <= time.perf_counter() - begin + 1
    took = sorted(t for one in said for t in one["took"])
    return len(took) / seconds, took
