"""Decisions under full load for ten minutes (B4): none fails, and no process grows."""

import os
from pathlib import Path

from tests.benchmarks.bench_decisions import Served, say, served  # noqa: F401

SOAK = os.environ.get("LINER_TEST_SOAK") == "1"
SECONDS = 600 if SOAK else 3
WARM_UP_SECONDS = 20 if SOAK else 2


def memory_mb(parent: int) -> float:
    """What a process and its children hold in memory of their own and shared."""
    pages = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(stat.parent.name) == parent or int(fields[1]) == parent:
            pages += int(fields[21])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_ten_minutes_of_decisions_without_an_error_or_a_process_that_grows(
    served: Served,  # noqa: F811
) -> None:
    served.load("api/v1/decisions", seconds=WARM_UP_SECONDS)
    before = memory_mb(served.web)
    found = served.load("api/v1/decisions", seconds=SECONDS)
    after = memory_mb(served.web)
    say(
        f"{found.seconds:.0f} s: {found.rate:.0f} decisions/s, p50 {found.p50:.1f} ms,"
        f" p95 {found.p95:.1f} ms, p99 {found.p99:.1f} ms, {found.errors} errors;"
        f" web processes {before:.0f} MB before, {after:.0f} MB after"
    )
    assert found.errors == 0
    assert found.requests > SECONDS
    assert before > 0
    assert after < before * 1.1
