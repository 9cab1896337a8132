"""Web processes of their own on a test's database, and machines that ask all of them at once."""

import http.client
import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings


@contextmanager
def web_processes(environment: Mapping[str, str], how_many: int) -> Iterator[list[int]]:
    """Real web servers, each a process of its own; yields their ports when all of them answer."""
    ports = [_free_port() for _ in range(how_many)]
    running = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "portal.wsgi:application"),
                *("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
                *("--workers", "1", "--blocking-threads", "2", "--no-ws"),
                *("--log-level", "error", "--no-access-log"),
            ],
            env={**environment, "LINER_PROCESS": "web"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # each 503 is a line in the log
            cwd=settings.BASE_DIR,
        )
        for port in ports
    ]
    try:
        for port in ports:
            _wait_for(port)
        yield ports
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(port: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < until, "the web process did not start"
            time.sleep(0.1)


@dataclass(frozen=True)
class Heard:
    """One answer: what had been confirmed before it was asked, and what it said."""

    confirmed: int  # the ledger position that was confirmed to somebody before the question
    min_seq: int
    status: int
    seq: int
    allowed: tuple[bool, ...]
    seconds: float
    code: str = ""


@dataclass
class Asking:
    """Machines that ask every process, over and over, while somebody decides."""

    ports: Sequence[int]
    secrets: Sequence[str]
    items: Sequence[dict[str, Any]]
    confirmed: int = 0
    ahead: int = 0  # how far beyond what is confirmed a machine may demand to be answered
    heard: list[Heard] = field(default_factory=list)
    broken: list[BaseException] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Asking":
        self._threads = [
            threading.Thread(target=self._ask, args=(port, secret, seed))
            for seed, (port, secret) in enumerate((p, s) for p in self.ports for s in self.secrets)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=60)
        if self.broken:
            raise self.broken[0]

    def wait_for(self, how_many: int, seconds: float = 120) -> None:
        """Until so many answers have been heard."""
        until = time.monotonic() + seconds
        while len(self.heard) < how_many and not self.broken:
            assert time.monotonic() < until, f"{len(self.heard)} answers in {seconds} s"
            time.sleep(0.002)

    def _ask(self, port: int, secret: str, seed: int) -> None:
        chance = random.Random(seed)
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            while not self._over.is_set():
                confirmed = self.confirmed
                min_seq = max(0, confirmed + chance.choice((0, 0, -1, -3, self.ahead)))
                self.heard.append(self._one(line, secret, confirmed, min_seq))
        except BaseException as error:
            self.broken.append(error)
        finally:
            line.close()

    def _one(
        self, line: http.client.HTTPConnection, secret: str, confirmed: int, min_seq: int
    ) -> Heard:
        body = json.dumps({"items": list(self.items), "min_seq": min_seq})
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        began = time.monotonic()
        line.request("POST", "/api/v1/decisions", body, headers)
        response = line.getresponse()
        said = json.loads(response.read())
        took = time.monotonic() - began
        if response.status != 200:
            return Heard(confirmed, min_seq, response.status, 0, (), took, said["code"])
        allowed = tuple(item["allowed"] for item in said["items"])
        return Heard(confirmed, min_seq, 200, said["seq"], allowed, took)
