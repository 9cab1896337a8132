"""Which recordings have claims that contradict each other, and whom that concerns.

The rule is that of the queue of conflicts: together more than the whole, two who deliver it, or a
dispute. What nobody claims is missing, and contradicts nothing.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from consent.models import ArtistRecording, Recording
from consent.queries.conflicts import ConflictKind, wrong_sql

type Place = tuple[int, str]
"""A recording, by its key, and a right in it."""

CONTRADICTIONS: Final = (
    ConflictKind.TWO_SENDERS,
    ConflictKind.OVER_CLAIMED,
    ConflictKind.DISPUTED,
)

# As the queue finds it, at a given moment.
_CONTESTED: Final = f"""
WITH mine AS MATERIALIZED (SELECT unnest(%(recordings)s::bigint[]) AS id
{wrong_sql("%(at)s")}
SELECT DISTINCT r.id, w."right",
       ARRAY(SELECT DISTINCT c.party_id FROM claim c
              WHERE c.profile_id = w.profile_id AND c."right" = w."right")
  FROM wrong w JOIN consent_recording r ON r.profile_id = w.profile_id
 WHERE w.kind = ANY (%(kinds)s) AND r.id IN (SELECT id FROM mine)
"""  # noqa: S608  (constants of ours)

_CONCERNED: Final = """
WITH claim AS MATERIALIZED (
    SELECT c.recording_id, c.repertoire_id, c.work_id
      FROM consent_rightsclaim c JOIN consent_ledgerentry e ON e.id = c.entry_id
     WHERE e.act = ANY (%(acts)s)
), work AS MATERIALIZED (
    SELECT coalesce(array_agg(work_id) FILTER (WHERE work_id IS NOT NULL), '{}') AS keys
      FROM claim
)
SELECT i.recording_id FROM consent_recordingidentity i
  JOIN consent_ledgerentry e ON e.id = i.entry_id WHERE e.act = ANY (%(acts)s)
 UNION SELECT recording_id FROM claim WHERE recording_id IS NOT NULL
 UNION SELECT b.recording_id FROM claim c
  JOIN consent_artistrecording b ON b.artist_id = c.repertoire_id
 UNION SELECT i.recording_id FROM work JOIN consent_recordingidentity i ON i.works && work.keys
 WHERE work.keys <> '{}'
"""

_TURNING: Final = """
SELECT DISTINCT e.act FROM consent_rightsclaim c JOIN consent_ledgerentry e ON e.id = c.entry_id
 WHERE (c.valid_from > %(after)s AND c.valid_from <= %(until)s)
    OR (c.valid_until > %(after)s AND c.valid_until <= %(until)s)
"""


def recordings_of_acts(acts: Collection[UUID]) -> set[int]:
    """The recordings for which these acts, on claims or on recordings, may have changed something.

    By their keys; one query.
    """
    if not acts:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_CONCERNED, {"acts": list(acts)})
        return {key for (key,) in cursor.fetchall()}


def acts_that_turn(*, after: datetime, until: datetime) -> list[UUID]:
    """The acts that wrote claims which begin or end in (`after`, `until`] (UTC); one query."""
    with connection.cursor() as cursor:
        cursor.execute(_TURNING, {"after": after, "until": until})
        return [act for (act,) in cursor.fetchall()]


def contested(recordings: Collection[int], *, at: datetime) -> dict[Place, frozenset[int]]:
    """What is contested of these recordings (keys) at `at` (UTC), and by which parties (keys).

    Those are the parties that claim it, and who delivered the recording. Two queries.
    """
    if not recordings:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _CONTESTED,
            {
                "recordings": list(recordings),
                "kinds": [str(kind) for kind in CONTRADICTIONS],
                "at": at,
            },
        )
        rows = cursor.fetchall()
    senders = dict(
        Recording.objects.filter(pk__in={row[0] for row in rows}).values_list("pk", "sender")
    )
    return {
        (recording, right): frozenset(parties) | ({senders[recording]} - {None})
        for recording, right, parties in rows
    }


def artists_named_on(recordings: Iterable[int]) -> dict[int, set[int]]:
    """The artists billed on each of these recordings, by the keys of both; one query."""
    named: dict[int, set[int]] = {}
    rows = ArtistRecording.objects.filter(recording__in=set(recordings))
    for recording, artist in rows.values_list("recording", "artist"):
        named.setdefault(recording, set()).add(artist)
    return named
