"""The real web server for tests that need several processes of it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Site:
    """A running server. `stop` and `start` do what somebody does to a machine."""

    environment: dict[str, str]
    workers: int
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "portal.wsgi:application"),
                *("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port)),
                *("--workers", str(self.workers), "--blocking-threads", "2", "--no-ws"),
                *("--respawn-failed-workers", "--log-level", "critical"),
            ],
            cwd=ROOT,
            env=self.environment,
            start_new_session=True,
        )
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{self.url}/api/v1/ledger/keys", timeout=2).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server did not come up")

    def worker_pids(self) -> list[int]:
        """The processes that answer."""
        assert self.process is not None
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == self.process.pid:
                found.append(int(stat.parent.name))
        return found

    def keep(self) -> None:
        """Start it again if it is gone, as a supervisor would."""
        if self.process is not None and self.process.poll() is not None:
            self.start()

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        self.process = None


@contextmanager
def site(environment: dict[str, str], *, workers: int = 4) -> Iterator[Site]:
    """The site on the database of this test, served by several processes."""
    running = Site({**environment, "LINER_PROCESS": "web"}, workers)
    running.start()
    try:
        yield running
    finally:
        running.stop()
