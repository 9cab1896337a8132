"""The one clock: the database's, so that a machine with a wrong clock cannot bend an answer."""

from datetime import datetime

from django.db import connection


def now() -> datetime:
    """This moment, in UTC. Only a demo ledger can have it moved (`seed_demo`)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_now()")
        (moment,) = cursor.fetchone()
    assert isinstance(moment, datetime)
    return moment
