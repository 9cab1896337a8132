"""Which recordings does what a licence says reach: the holder's claims, met with its catalogue."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.models import Catalogue

# The recordings of a holder at a moment: by a claim on the recording, on a work it holds, or on a
# repertoire, unless it says that nothing of that recording is its own; and, for an artist,
# everything that is billed to her.
_REACHED = """
mine AS MATERIALIZED (
    SELECT DISTINCT ON (claim) * FROM consent_rightsclaim
     WHERE party_id = %(holder)s AND (valid_from IS NULL OR valid_from <= %(at)s)
     ORDER BY claim, id DESC
), held AS MATERIALIZED (
    SELECT * FROM mine WHERE NOT ended AND (valid_until IS NULL OR valid_until > %(at)s)
), nothing AS MATERIALIZED (
    SELECT recording_id, "right" FROM held WHERE share_bp = 0
), reached AS (
    SELECT h.recording_id, h."right" FROM held h
     WHERE h.recording_id IS NOT NULL AND h.share_bp > 0
    UNION ALL
    SELECT ar.recording_id, h."right" FROM held h
      JOIN consent_artistrecording ar ON ar.artist_id = h.repertoire_id AND NOT ar.featured
     WHERE h.standing = 'disputed' OR NOT EXISTS (
        SELECT FROM nothing n
         WHERE n.recording_id = ar.recording_id AND n."right" = h."right")
    UNION ALL
    SELECT i.recording_id, h."right" FROM held h
      JOIN (SELECT i.id, i.recording_id, unnest(i.works) AS work_id
              FROM consent_recordingidentity i) i ON i.work_id = h.work_id
     WHERE NOT EXISTS (
        SELECT 1 FROM consent_recordingidentity n
         WHERE n.recording_id = i.recording_id AND n.id > i.id)
    UNION ALL
    SELECT ar.recording_id, 'artist' FROM consent_artistrecording ar
     WHERE ar.artist_id = %(holder)s
), covered AS MATERIALIZED (
    SELECT recording_id FROM reached
     WHERE (%(catalogue)s = 'all'
        OR (recording_id IN (SELECT unnest(%(listed)s::bigint[]))) = (%(catalogue)s = 'list'))
     GROUP BY recording_id
    HAVING bool_or("right" <> 'artist') OR %(as_artist)s
)
"""


@dataclass(frozen=True, slots=True)
class Reach:
    """What is asked: whose licence, on which part of the catalogue, at which UTC moment."""

    holder: int
    catalogue: str
    listed: Collection[int]
    uses: Collection[str]
    at: datetime

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of `WITH_COVERED`."""
        return {
            "holder": self.holder,
            "catalogue": str(self.catalogue),
            "listed": [] if self.catalogue == Catalogue.ALL else list(self.listed),
            "at": self.at,
            # Style, name and image need no claim on the recording: she signs as herself.
            "as_artist": bool({"style", "name_image"} & set(self.uses)),
        }


WITH_COVERED = f"WITH {_REACHED}"
