"""Writers of the ledger benchmark, in a process of their own: `python -m … WHAT NUMBER ARTIST…`.

One writer for each artist, in a thread with a connection of its own. They wait for the start (an
advisory lock that the benchmark holds), make their changes one transaction each, and print how long
each took in milliseconds, and how long it took all of them in seconds, as JSON.
"""

import json
import os
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import django

START = 20_26


def main(what: str, number: int, artists: list[int]) -> None:
    """Let each writer make `number` changes: `row`, `leaf` or `answer`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    with ThreadPoolExecutor(len(artists)) as pool:
        done = list(pool.map(lambda artist: write(what, number, artist), artists))
    took = [one for times, _seconds in done for one in times]
    json.dump({"took": took, "seconds": max(seconds for _times, seconds in done)}, sys.stdout)


def write(what: str, number: int, artist: int) -> tuple[list[float], float]:
    """Make the changes of one writer; returns what each took in ms, and all of them in seconds."""
    from django.db import connection, transaction

    from consent.models import Artist
    from consent.services.ledger import Leaf, record
    from consent.services.permissions import answer_permission

    her = Artist.objects.select_related("party").get(pk=artist)

    def row(n: int) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO bench_row (n) VALUES (%s)", [n])

    def leaf(n: int) -> None:
        with transaction.atomic():
            record(uuid.uuid4(), [Leaf("note.made", {"n": n})])

    def answer(n: int) -> None:
        stance = "deny" if n % 2 else "ask"
        answer_permission(by=None, artist=her, use="remix_input", stance=stance)

    change: Callable[[int], None] = {"row": row, "leaf": leaf, "answer": answer}[what]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [START])
        cursor.execute("SELECT pg_advisory_unlock_shared(%s)", [START])
    took = []
    begin = time.perf_counter()
    for n in range(number):
        before = time.perf_counter()
        change(n)
        took.append((time.perf_counter() - before) * 1000)
    seconds = time.perf_counter() - begin
    connection.close()
    return took, seconds


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), [int(key) for key in sys.argv[3:]])
