"""Remembering when somebody looked, so that the next time a page says what changed since."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from consent.models import Artist
from portal.models import User, Visit

VISIT_ENDS_AFTER: Final = timedelta(hours=1)
"""Who comes back after this has been away: a new visit begins."""

_LOOKED: Final = """
INSERT INTO {table} AS v (user_id, artist_id, seen_at)
VALUES (%s, %s, ledger_now())
    ON CONFLICT (user_id, artist_id) DO UPDATE
   SET before_at = CASE WHEN v.seen_at < excluded.seen_at - make_interval(secs => %s) THEN v.seen_at
                        ELSE v.before_at END,
       seen_at = greatest(v.seen_at, excluded.seen_at)
RETURNING seen_at, before_at
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """When somebody looks now, and when the visit before this one ended (None: the first). UTC."""

    at: datetime
    before: datetime | None


def note_visit(*, by: User, artist: Artist) -> Looked:
    """Note that `by` looks at this artist's work. One query, safe beside itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            _LOOKED.format(table=Visit._meta.db_table),
            [by.pk, artist.pk, int(VISIT_ENDS_AFTER.total_seconds())],
        )
        at, before = cursor.fetchone()
    return Looked(at, before)
