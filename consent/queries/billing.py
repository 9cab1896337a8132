"""Who was taken off recordings, and who was put on them, by one act on what they are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db import connection

_CHANGED: Final = """
SELECT r.title, b.main_artists || b.featured_artists, i.main_artists || i.featured_artists,
       b.voices, i.voices
  FROM consent_recordingidentity i
  JOIN consent_ledgerentry e ON e.id = i.entry_id
  JOIN consent_recording r ON r.id = i.recording_id
 CROSS JOIN LATERAL (
    SELECT x.* FROM consent_recordingidentity x
     WHERE x.recording_id = i.recording_id AND x.id < i.id ORDER BY x.id DESC LIMIT 1) b
 WHERE e.act = %(act)s
 ORDER BY r.title, r.id
"""


@dataclass(slots=True)
class Moved:
    """The titles of the recordings that one party was put on or taken off, as artist or as voice.

    An artist is on a recording as main or as featured artist: from one to the other is no move.
    """

    off: list[str] = field(default_factory=list)
    on: list[str] = field(default_factory=list)
    voice_off: list[str] = field(default_factory=list)
    voice_on: list[str] = field(default_factory=list)


def moved_by_act(act: UUID) -> dict[int, Moved]:
    """Whom an act put on recordings that were there before, or took off them, by party; one query.

    A recording that is delivered for the first time moves nobody.
    """
    moved: dict[int, Moved] = {}
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, {"act": act})
        for title, before, after, voices_before, voices_after in cursor.fetchall():
            for party in _gone(before, after):
                moved.setdefault(party, Moved()).off.append(title)
            for party in _gone(after, before):
                moved.setdefault(party, Moved()).on.append(title)
            for party in _gone(voices_before, voices_after):
                moved.setdefault(party, Moved()).voice_off.append(title)
            for party in _gone(voices_after, voices_before):
                moved.setdefault(party, Moved()).voice_on.append(title)
    return moved


def _gone(before: Sequence[int], after: Sequence[int]) -> list[int]:
    return sorted(set(before) - set(after))
