"""A small load of our own, for where there is no `wrk`: eight connections, one thread each."""

import http.client
import json
import os
import random
import sys
import threading
import time
from urllib.parse import urlsplit

CONNECTIONS = 8
USES = ("generative_training", "analysis_training", "remix_input", "discovery")


def ask(url: str, until: float, took: list[float], wrong: list[int]) -> None:
    """One connection, until the time is over."""
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port)
    headers = {
        "Authorization": f"Bearer {os.environ['BENCH_KEY']}",
        "Content-Type": "application/json",
    }
    items = int(os.environ["BENCH_ITEMS"])
    while time.monotonic() < until:
        body = json.dumps(
            {
                "items": [
                    {
                        "isrc": f"NOAAA24{random.randrange(100_000):05d}",
                        "use": random.choice(USES),
                        "tool": "t1",
                    }
                    for _ in range(items)
                ]
            }
        )
        began = time.perf_counter()
        line.request("POST", parts.path, body, headers)
        answer = line.getresponse()
        answer.read()
        took.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            wrong.append(answer.status)


def main() -> None:
    """`python -m tests.benchmarks.loader URL SECONDS`: prints what `wrk`'s script prints."""
    url, seconds = sys.argv[1], int(sys.argv[2])
    took: list[float] = []
    wrong: list[int] = []
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=ask, args=(url, until, took, wrong)) for _ in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took.sort()
    result = {"requests": len(took), "errors": len(wrong), "seconds": float(seconds)}
    for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        result[name] = took[int(len(took) * part)]
    sys.stdout.write(f"RESULT {json.dumps(result)}\n")


if __name__ == "__main__":
    main()
