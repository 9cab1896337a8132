"""The database is killed while people decide (A6): nothing that was confirmed is ever lost."""

import contextlib
import os
import signal
import threading
import time
import uuid
from pathlib import Path

import pytest
from django.db import Error, connection, transaction

from consent.models import Artist, LedgerEntry, Permission
from consent.services.audit import audit_ledger
from consent.services.permissions import answer_permission
from consent.services.sealing import seal_ledger
from portal import servers
from tests.consent.build import an_artist

ROUNDS = 50 if os.environ.get("LINER_TEST_SOAK") == "1" else 2
WRITERS = 4


class Writer(threading.Thread):
    """An artist who answers until she is told to stop; remembers what the database confirmed."""

    def __init__(self, artist: Artist, stop: threading.Event) -> None:
        super().__init__()
        self._artist = artist
        self._stopped = stop
        self.confirmed: list[uuid.UUID] = []
        self.failed = 0

    def run(self) -> None:
        stance = "deny"
        while not self._stopped.is_set():
            stance = "deny" if stance == "allow" else "allow"
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    # Servers of a test run do without; those that keep anything do not.
                    cursor.execute("SET LOCAL synchronous_commit = on")
                    given = answer_permission(
                        by=None, artist=self._artist, use="remix_input", stance=stance
                    )
            except Error:
                self.failed += 1
                connection.close()
                time.sleep(0.05)
                continue
            if given.changed:  # else it was there already: the commit held, its answer was lost
                self.confirmed.append(given.permission.entry_id)
        connection.close()


def postmaster(home: servers.Home) -> int:
    return int((Path(home.data) / "postmaster.pid").read_text().split()[0])


def wait_until_answers() -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            LedgerEntry.objects.exists()
        except Error:
            connection.close()
            assert time.monotonic() < deadline, "the database did not come back"
            time.sleep(0.1)
            continue
        return


@pytest.mark.django_db(transaction=True)
def test_the_database_is_killed_again_and_again_and_every_confirmed_act_is_there(
    running_servers: servers.Home,
) -> None:
    stop = threading.Event()
    writers = [Writer(an_artist(f"Artist {n}"), stop) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        for n in range(ROUNDS):
            time.sleep(0.4)
            # Killed outright, or told to drop everything at once, as pg_ctl -m immediate does.
            os.kill(postmaster(running_servers), [signal.SIGKILL, signal.SIGQUIT][n % 2])
            connection.close()
            time.sleep(0.3)
            wait_until_answers()
            with contextlib.suppress(Error):  # it may be on its way down again
                seal_ledger()
            connection.close()
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    wait_until_answers()
    confirmed = {entry for writer in writers for entry in writer.confirmed}
    stored = dict(LedgerEntry.objects.values_list("id", "seq"))
    assert sorted(stored.values()) == list(range(1, len(stored) + 1))
    assert confirmed - set(stored) == set()
    assert confirmed - set(Permission.objects.values_list("entry_id", flat=True)) == set()
    assert len(confirmed) > ROUNDS
    assert sum(writer.failed for writer in writers) > 0, "nobody noticed: nothing was tried"
    seal_ledger()
    audited = audit_ledger()  # every answer is made again from its leaf and compared
    assert audited is not None
    assert audited.problems == ()
