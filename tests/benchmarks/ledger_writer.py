"""One writer of the ledger benchmark, as a process of its own: `python -m … WHAT NUMBER ARTIST`.

Waits for the start (an advisory lock that the benchmark holds), makes its changes one transaction
each, and prints their durations in milliseconds as a JSON list.
"""

import json
import os
import sys
import time
import uuid
from collections.abc import Callable

import django

START = 20_26


def main(what: str, number: int, artist: int) -> None:
    """Write `number` changes: `row`, `leaf` or `answer`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()

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
    json.dump({"took": took, "seconds": time.perf_counter() - begin}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
