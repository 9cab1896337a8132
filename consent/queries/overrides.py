"""Where a changed claim lets a licence that does without the artist begin to reach her work."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db import connection

from consent.models import Artist, LicenceVersion

# The master claims of an act that a clause can speak for, and could not before: those of a claim
# that is new, was somebody's own, or was over. Then the versions, in force or signed for later,
# that name a clause, with the artists billed on what they cover; but for artists whom the same
# version reached already, by any other claim of its holder. `bound` parts before from after: rows
# of one act are written together.
_BEGUN: Final = """
WITH written AS MATERIALIZED (
    SELECT c.*, e.recorded_at FROM consent_rightsclaim c
      JOIN consent_ledgerentry e ON e.id = c.entry_id
     WHERE e.act = %(act)s AND c."right" = 'master'
), bound AS (
    SELECT min(id) AS id, min(recorded_at) AS at FROM written
), begun AS MATERIALIZED (
    SELECT w.* FROM written w
      LEFT JOIN LATERAL (
        SELECT b.* FROM consent_rightsclaim b, bound
         WHERE b.claim = w.claim AND b.id < bound.id ORDER BY b.id DESC LIMIT 1) b ON true
     WHERE NOT w.ended AND w.authority <> 'own'
       AND (b.id IS NULL OR b.authority = 'own' OR b.ended OR b.valid_until <= w.recorded_at)
), reached AS MATERIALIZED (
    SELECT party_id, recording_id FROM begun WHERE recording_id IS NOT NULL
    UNION
    SELECT c.party_id, b.recording_id FROM begun c
      JOIN consent_artistrecording b ON b.artist_id = c.repertoire_id AND NOT b.featured
), version AS MATERIALIZED (
    SELECT v.id, v.catalogue, l.holder_id FROM consent_licence l
      JOIN consent_licenceversion v ON v.licence_id = l.id
     CROSS JOIN bound
     WHERE l.holder_id IN (SELECT party_id FROM begun)
       AND NOT v.artist_approval AND NOT v.ended
       AND (v.ends_at IS NULL OR v.ends_at > bound.at)
       AND NOT EXISTS (
            SELECT FROM consent_licenceversion n
             WHERE n.licence_id = l.id AND n.id > v.id
               AND (n.starts_at IS NULL OR n.starts_at <= bound.at))
), pair AS (
    SELECT DISTINCT v.id, v.catalogue, v.holder_id, b.artist_id
      FROM version v
      JOIN reached r ON r.party_id = v.holder_id
      JOIN consent_artistrecording b ON b.recording_id = r.recording_id
     WHERE v.catalogue = 'all' OR (v.catalogue = 'list') = EXISTS (
            SELECT FROM consent_licencelisting x
             WHERE x.version_id = v.id AND x.recording_id = r.recording_id)
)
SELECT p.id, p.artist_id FROM pair p CROSS JOIN bound
 WHERE NOT EXISTS (
    SELECT FROM consent_artistrecording b
      JOIN consent_rightsclaim c ON c.party_id = p.holder_id AND c.id < bound.id
       AND (c.recording_id = b.recording_id OR c.repertoire_id IN (
            SELECT m.artist_id FROM consent_artistrecording m
             WHERE m.recording_id = b.recording_id AND NOT m.featured))
     WHERE b.artist_id = p.artist_id
       AND c."right" = 'master' AND c.authority <> 'own' AND NOT c.ended
       AND (c.valid_until IS NULL OR c.valid_until > bound.at)
       AND NOT EXISTS (
            SELECT FROM consent_rightsclaim n
             WHERE n.claim = c.claim AND n.id > c.id AND n.id < bound.id)
       AND (p.catalogue = 'all' OR (p.catalogue = 'list') = EXISTS (
            SELECT FROM consent_licencelisting x
             WHERE x.version_id = p.id AND x.recording_id = b.recording_id)))
 ORDER BY p.id, p.artist_id
"""


def overrides_begun(act: UUID) -> list[tuple[LicenceVersion, list[Artist]]]:
    """The overriding licence versions that an act on claims lets reach an artist, and whom.

    `act` is the act of `claim.made` and `claim.changed` entries, of any number of claims. An artist
    is named where no claim of the holder let the same version reach work of hers before; one who
    is reached from a later day on is named now. Three queries, however many claims.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEGUN, {"act": act})
        found: dict[int, list[int]] = {}
        for version, artist in cursor.fetchall():
            found.setdefault(version, []).append(artist)
    versions = LicenceVersion.objects.select_related(
        "licence__holder", "licence__company__party"
    ).in_bulk(list(found))
    artists = Artist.objects.select_related("party").in_bulk(
        list(_flat(found.values())),
    )
    return [(versions[v], [artists[a] for a in keys]) for v, keys in found.items()]


def _flat(lists: Iterable[list[int]]) -> set[int]:
    return {key for keys in lists for key in keys}
