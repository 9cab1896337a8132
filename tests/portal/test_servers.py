"""The project's own servers: who stops them, and where they can run."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from portal import servers

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[servers.Home]:
    state = tmp_path / "a folder with spaces" / secrets.token_hex(4)
    home = servers.Home(state, temporary=True)
    yield home
    servers.release(home)


def version(home: servers.Home) -> str:
    with psycopg.connect(home.database_url(servers.APPLICATION_ROLE)) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    assert row
    return str(row[0])


def process_on(home: servers.Home) -> int:
    return int((home.data / "postmaster.pid").read_text().splitlines()[0])


def gone(pid: int, within: float = 10.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if not servers._alive(pid):
            return True
        time.sleep(0.02)
    return False


def other_user(home: servers.Home) -> "subprocess.Popen[str]":
    """A second process that needs the servers, and says so."""
    code = (
        "import sys; from pathlib import Path; from portal import servers;"
        "servers.hold(servers.Home(Path(sys.argv[1]), temporary=True));"
        "print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(home.state)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def test_real_servers_start_from_a_path_with_a_space(home: servers.Home) -> None:
    servers.hold(home)
    assert version(home).startswith("18.")
    valkey = redis.Redis.from_url(home.redis_url)
    assert valkey.info("server")["valkey_version"].startswith("9.")
    assert valkey.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    valkey.close()


def test_the_last_one_out_stops_the_servers_and_leaves_nothing(home: servers.Home) -> None:
    servers.hold(home)
    pid = process_on(home)
    servers.release(home)
    assert not servers._alive(pid)
    assert not home.state.exists()
    assert not home.data.exists()
    assert not home.sockets.exists()


def test_the_servers_stay_while_somebody_else_needs_them(home: servers.Home) -> None:
    servers.hold(home)
    other = other_user(home)
    servers.release(home)
    assert version(home).startswith("18.")
    pid = process_on(home)
    end(other)
    assert gone(pid)


def test_the_servers_stop_when_their_last_user_is_killed(home: servers.Home) -> None:
    other = other_user(home)
    pid = process_on(home)
    end(other)  # SIGKILL: it could not clean up
    assert gone(pid)


def test_a_server_that_was_killed_comes_back(home: servers.Home) -> None:
    servers.hold(home)
    before = process_on(home)
    os.kill(before, signal.SIGKILL)
    assert gone(before)
    deadline = time.monotonic() + 20
    while True:
        try:
            assert version(home).startswith("18.")
            break
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert process_on(home) != before


def test_a_socket_path_stays_short_however_long_the_checkout_path_is() -> None:
    home = servers.Home(Path("/") / "very long folder" / ("x" * 200))
    assert len(str(home.sockets / ".s.PGSQL.5432.lock")) < 107


def test_two_checkouts_never_share_a_server() -> None:
    one, two = servers.Home(Path("/a/.run")), servers.Home(Path("/b/.run"))
    assert one.urls()["DATABASE_URL"] != two.urls()["DATABASE_URL"]
    assert one.redis_url != two.redis_url


def test_no_server_starts_where_the_environment_names_them(
    home: servers.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINER_STATE", str(home.state))
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db.example/notes")
    monkeypatch.setenv("REDIS_URL", "redis://redis.example")
    servers.hold()
    assert not home.state.exists()


def test_a_home_in_use_cannot_be_wiped(home: servers.Home) -> None:
    servers.hold(home)
    with pytest.raises(servers.ServersError, match="Ctrl-C"):
        servers.wipe(home)
    assert version(home).startswith("18.")


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"])
def test_addresses_of_the_environment_are_forgotten_by_tests(name: str) -> None:
    code = "import tests.settings, os; print(os.environ.get(%r))" % name  # noqa: UP031
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, name: "postgresql://app@db.example/precious"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "None\n"
