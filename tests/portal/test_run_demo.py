"""`make run`: it serves a page, and Ctrl-C leaves nothing behind."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from portal import servers
from portal.management.commands.run_demo import SERVED_AT

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(state: Path) -> dict[str, str]:
    plain = {n: v for n, v in os.environ.items() if not n.startswith(("LINER_", "DATABASE_"))}
    return {**plain, "LINER_STATE": str(state), "LINER_STATE_TEMPORARY": "1"}


@pytest.fixture
def state() -> Iterator[Path]:
    state = Path(f"/tmp/liner-notes-run-{os.getuid()}-{secrets.token_hex(4)}")
    yield state
    servers.wipe(servers.Home(state, temporary=True))


def start(state: Path, port: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_demo", "--empty", "--port", str(port)],
        cwd=ROOT,
        env=environment(state),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def processes_of(state: Path) -> list[str]:
    """Return the command lines of all processes that know of `state`, by name or environment.

    Looks into /proc, so it finds nothing on a Mac.
    """
    home = servers.Home(state, temporary=True)
    signs = [os.fsencode(state), os.fsencode(home.sockets)]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            texts = [(folder / name).read_bytes() for name in ("cmdline", "environ")]
        except OSError:
            continue  # it ended meanwhile
        if any(sign in text for sign in signs for text in texts):
            found.append(texts[0].replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_ctrl_c_stops_everything_that_was_started(state: Path) -> None:
    port = free_port()
    running = start(state, port)
    assert running.stdout
    seen = []
    for line in running.stdout:
        seen.append(line)
        if "Ctrl-C stops everything" in line:
            break
    said = "".join(seen)
    assert f"http://localhost:{port}" in said, said
    assert (state / SERVED_AT).read_text(encoding="utf-8") == f"http://localhost:{port}"
    with urlopen(f"http://localhost:{port}/accounts/login/", timeout=10) as page:
        assert page.status == 200
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    if Path("/proc/self").exists():
        all_of_it = " ".join(processes_of(state))
        for part in ("postgres", "valkey-server", "granian", "celery", "worker", "beat"):
            assert part in all_of_it
    running.send_signal(signal.SIGINT)
    rest, _ = running.communicate(timeout=60)
    assert running.returncode == 0, rest
    assert "Traceback" not in said + rest
    deadline = time.monotonic() + 5
    while (left := processes_of(state)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []
    assert not (state / SERVED_AT).exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_busy_port_gets_one_clear_sentence(state: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        running = start(state, port)
        said, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert said.count("\n") == 1
    assert f"Port {port} is taken by another program" in said
    assert not state.exists() or not processes_of(state)


def test_a_port_that_became_busy_meanwhile_gets_the_same_sentence(state: Path) -> None:
    port = free_port()
    running = start(state, port)
    assert running.stdout
    seen = running.stdout.readline()
    assert "Starting PostgreSQL" in seen  # the port was free when it began
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        said, _ = running.communicate(timeout=120)
    assert running.returncode == 1
    assert said.count(f"Port {port} is taken by another program: stop it, or choose another") == 1
    assert "Traceback" not in said
    assert "web |" not in said
    if Path("/proc/self").exists():
        assert processes_of(state) == []
