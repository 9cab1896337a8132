"""Decisions over HTTP at 600 000 stances, beside bare one-query views on the same server.

The load comes from `wrk` where there is one, else from a small one of our own, which takes more of
the two cores that all share.
"""

import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from portal import servers
from tests.benchmarks import stances

ROOT = Path(__file__).resolve().parents[2]
SECONDS = int(os.environ.get("LINER_TEST_SECONDS", "5"))
ROUNDS = 5
CONNECTIONS = 8
BATCH = 100

MAKE_KEY = """
from consent.models import AICompany
from portal.roles import ApiScope
from portal.services.clients import create_api_client, create_api_key
client = create_api_client(by=None, company=AICompany.objects.get(slug="c1"), name="bench")
print(create_api_key(by=None, client=client, scopes=list(ApiScope)).secret)
"""

SCRIPT = """
local uses = {"generative_training", "analysis_training", "remix_input", "discovery"}
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY")
local how_many = tonumber(os.getenv("BENCH_ITEMS"))
request = function()
  local items = {}
  for i = 1, how_many do
    items[i] = string.format('{"isrc":"NOAAA24%05d","use":"%s","tool":"t1"}',
      math.random(0, 99999), uses[math.random(1, 4)])
  end
  return wrk.format(nil, nil, nil, '{"items":[' .. table.concat(items, ",") .. ']}')
end
done = function(summary, latency)
  io.write(string.format('\\nRESULT {"requests": %d, "errors": %d, "seconds": %f, "p50": %f, '
    .. '"p95": %f, "p99": %f}\\n', summary.requests, summary.errors.status + summary.errors.timeout
    + summary.errors.read + summary.errors.connect, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
"""


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class Result:
    requests: int
    errors: int
    seconds: float
    p50: float
    p95: float
    p99: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def processor_ms(parent: int) -> float:
    """The processor time of a process and its children so far, where /proc says; else 0.

    Unlike a rate it says nothing about what else the machine has to do meanwhile.
    """
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(stat.parent.name) == parent or int(fields[1]) == parent:
            total += int(fields[11]) + int(fields[12])
    return total * 1000 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Served:
    """A running server, and a key that opens it. `web` and `database` are process ids."""

    port: int
    key: str
    folder: Path
    web: int
    database: int

    def measure(self, path: str, *, items: int = 1) -> tuple[Result, float, float]:
        """The load, and what a request cost the web server and the database, in ms of processor."""
        before = processor_ms(self.web), processor_ms(self.database)
        found = self.load(path, items=items)
        assert found.errors == 0
        after = processor_ms(self.web), processor_ms(self.database)
        web, database = ((b - a) / found.requests for a, b in zip(before, after, strict=True))
        return found, web, database

    def load(self, path: str, *, items: int = 1, seconds: int = SECONDS) -> Result:
        """Ask `path` from eight connections for some seconds; every answer must be 200."""
        url = f"http://127.0.0.1:{self.port}/{path}"
        environment = {**os.environ, "BENCH_KEY": self.key, "BENCH_ITEMS": str(items)}
        if shutil.which("wrk"):
            script = self.folder / "load.lua"
            script.write_text(SCRIPT)
            command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), url]
        else:
            command = [sys.executable, "-m", "tests.benchmarks.loader", url, str(seconds)]
        out = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        ).stdout
        found = next(line for line in out.splitlines() if line.startswith("RESULT "))
        return Result(**json.loads(found.removeprefix("RESULT ")))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The site at 600 000 stances, on a database and a server of its own."""
    folder = tmp_path_factory.mktemp("decisions")
    home = servers.hold(servers.Home(state=folder / "state"))
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("LINER_", "DATABASE_", "REDIS_"))
    } | {
        "LINER_STATE": str(home.state),
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.served_settings",
    }
    manage = [sys.executable, "manage.py"]
    web = None
    try:
        subprocess.run(
            [*manage, "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True
        )
        began = time.monotonic()
        with psycopg.connect(
            host=str(home.sockets), user="postgres", dbname="liner_notes", autocommit=True
        ) as database:
            written = stances.load(database)
        say(f"\n{written} stances loaded in {time.monotonic() - began:.0f} s")
        key = subprocess.run(
            [*manage, "shell", "-v0", "-c", MAKE_KEY],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
        ).stdout.split()[-1]  # fmt: skip
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        web = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "portal.wsgi:application"),
                *("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
                *("--workers", "2", "--blocking-threads", "1", "--no-ws"),
                *("--blocking-threads-idle-timeout", "600", "--log-level", "warning"),
            ],
            cwd=ROOT,
            env=environment,
        )
        _wait(port)
        postmaster = int((home.data / "postmaster.pid").read_text().split()[0])
        yield Served(port, key, folder, web.pid, postmaster)
    finally:
        if web is not None:
            web.terminate()
            web.wait(20)
        servers.release(home)
        servers.wipe(home)


def _wait(port: int) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/ledger/keys", timeout=2)
            return
        except OSError:
            time.sleep(0.25)
    raise AssertionError("the server did not come up")


def test_decisions_beside_bare_views(served: Served) -> None:
    """The bars: 1 200 a second, p95 10 ms at eight connections, 0.7 of the bare view."""
    views = (
        ("one query, plain, in the machines' lane", "api/v1/bare/plain"),
        ("one query, plain, through all layers", "bare/plain"),
        ("one query, through the framework", "api/v1/bare/framework"),
        ("a decision", "api/v1/decisions"),
    )
    for _name, path in views:  # every connection plans its statements once
        served.load(path, seconds=2)
    say(f"{CONNECTIONS} connections, {ROUNDS} x {SECONDS} s, load {os.getloadavg()[0]:.1f} before")
    say(f"{'':42}{'req/s':>7}{'p50':>8}{'p95':>8}{'p99':>8}{'web':>8}{'database':>10}   of bare")
    # In turns, so that what else the machine does meets all of them alike.
    found = [[served.measure(path) for _name, path in views] for _round in range(ROUNDS)]
    rates: list[float] = []
    for (name, _path), runs in zip(views, zip(*found, strict=True), strict=True):
        rate, p50, p95, p99, web, database = (
            statistics.median(column)
            for column in zip(
                *((r.rate, r.p50, r.p95, r.p99, web, db) for r, web, db in runs), strict=True
            )
        )
        ratios = "".join(f" {rate / bare:.2f}" for bare in rates)
        rates.append(rate)
        say(
            f"{name:42}{rate:>7.0f}{p50:>8.1f}{p95:>8.1f}{p99:>8.1f}{web:>8.2f}{database:>10.2f}"
            f"  {ratios}"
        )
    say("medians; times in ms; web and database are processor time for one request")


def test_batches_of_a_hundred(served: Served) -> None:
    """The bar: 10 000 decisions a second."""
    served.load("api/v1/decisions", items=BATCH, seconds=2)
    found, web, database = served.measure("api/v1/decisions", items=BATCH)
    say(
        f"batches of {BATCH}: {found.rate * BATCH:.0f} decisions/s, p50 {found.p50:.0f} ms,"
        f" p95 {found.p95:.0f} ms; web {web:.1f} ms, database {database:.1f} ms a batch"
    )


def test_random_answers_are_what_was_loaded(served: Served) -> None:
    """What is measured is also right."""
    chance = random.Random(7)
    for _ in range(50):
        number = chance.randrange(stances.ARTISTS * stances.EACH)
        body = {"items": [{"isrc": stances.isrc(number), "use": "discovery", "tool": "t1"}]}
        request = urllib.request.Request(
            f"http://127.0.0.1:{served.port}/api/v1/decisions",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {served.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            [item] = json.load(response)["items"]
        guest_says = [k % 5 != 0 for k in stances._guest(number)]
        assert item["allowed"] is (number % 7 != 0 and all(guest_says)), (number, item)
