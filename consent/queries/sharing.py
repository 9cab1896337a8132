"""Whose say a recording needs beside one artist's own: where a reason kept alone is not hers."""

from collections.abc import Collection

from django.db import connection

from consent.models import Artist

_SHARED = """
SELECT DISTINCT i.recording_id FROM consent_recordingidentity i
 WHERE i.recording_id = ANY (%(recordings)s)
   AND NOT ((i.main_artists || i.featured_artists || i.voices) <@ ARRAY[%(artist)s::bigint])
"""


def shared_recordings(artist: Artist, recordings: Collection[int]) -> set[int]:
    """Which of these recordings (keys) need, or ever needed, somebody else's say too. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_SHARED, {"artist": artist.pk, "recordings": list(recordings)})
        return {key for (key,) in cursor.fetchall()}
