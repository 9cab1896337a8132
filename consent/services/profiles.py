"""Rights profiles: recordings whose rights are alike, grouped, so that screens decide once a group.

Derived from identities and claims, in the transaction that changes them. Decisions read the facts
themselves and never a profile.
"""

from collections.abc import Collection, Iterable

from django.db import connection

from consent.models import Artist, ArtistRecording, Recording

# One line of text per claim, so that two recordings with the same lines decide the same. Of each
# claim: the row that speaks, and those given for later. A work counts by its claims, not by its
# id: two songs by the same writer on the same terms are alike.
_DIGESTS = """
WITH target AS MATERIALIZED (
    SELECT r.id, i.main_artists, i.featured_artists, i.voices, i.works, i.withdrawn
      FROM unnest(%(ids)s::bigint[]) AS x(id)
      JOIN consent_recording r ON r.id = x.id
     CROSS JOIN LATERAL (
        SELECT * FROM consent_recordingidentity i
         WHERE i.recording_id = r.id ORDER BY i.id DESC LIMIT 1) i
), work AS MATERIALIZED (
    SELECT DISTINCT unnest(works) AS id FROM target
), artist AS MATERIALIZED (
    SELECT DISTINCT unnest(main_artists || featured_artists) AS id FROM target
), version AS (
    SELECT c.* FROM consent_rightsclaim c JOIN target t ON t.id = c.recording_id
    UNION ALL
    SELECT c.* FROM consent_rightsclaim c JOIN work w ON w.id = c.work_id
    UNION ALL
    SELECT c.* FROM consent_rightsclaim c JOIN artist a ON a.id = c.repertoire_id
), ranked AS (
    SELECT version.*, max(id) FILTER (WHERE valid_from IS NULL OR valid_from <= ledger.now)
                  OVER (PARTITION BY claim) AS speaking
      FROM version, (SELECT ledger_now() AS now) ledger
), line AS MATERIALIZED (
    SELECT recording_id, work_id, repertoire_id,
           concat_ws(':', party_id, "right", share_bp, authority, standing,
               array_to_string(territories, ','), 'from', extract(epoch FROM valid_from),
               'until', extract(epoch FROM valid_until), 'ended', ended,
               'of', repertoire_id) AS text
      FROM ranked
     WHERE id >= coalesce(speaking, 0) AND NOT (ended AND id = speaking)
), work_text AS MATERIALIZED (
    SELECT w.id, coalesce(string_agg(l.text, ';' ORDER BY l.text), '') AS text
      FROM work w LEFT JOIN line l ON l.work_id = w.id GROUP BY w.id
), own AS MATERIALIZED (
    SELECT recording_id AS id, string_agg(text, ';' ORDER BY text) AS text
      FROM line WHERE recording_id IS NOT NULL GROUP BY recording_id
), billing AS MATERIALIZED (
    SELECT b.artists, string_agg(l.text, ';' ORDER BY l.text) AS text
      FROM (SELECT DISTINCT main_artists || featured_artists AS artists FROM target) b
      JOIN line l ON l.repertoire_id = ANY (b.artists)
     GROUP BY b.artists
), composed AS MATERIALIZED (
    SELECT t.id, string_agg(w.text, '+' ORDER BY w.text) AS text
      FROM target t CROSS JOIN LATERAL unnest(t.works) AS x(work)
      JOIN work_text w ON w.id = x.work
     GROUP BY t.id
)
SELECT t.id, encode(sha256(convert_to(concat_ws('|',
           'main', (SELECT string_agg(x::text, ',' ORDER BY x) FROM unnest(t.main_artists) x),
           'featured',
           (SELECT string_agg(x::text, ',' ORDER BY x) FROM unnest(t.featured_artists) x),
           'voices', (SELECT string_agg(x::text, ',' ORDER BY x) FROM unnest(t.voices) x),
           'withdrawn', t.withdrawn,
           'works', cardinality(t.works), composed.text,
           'claims', own.text, 'repertoire', billing.text), 'UTF8')), 'hex') AS digest
  FROM target t
  LEFT JOIN own ON own.id = t.id
  LEFT JOIN composed ON composed.id = t.id
  LEFT JOIN billing ON billing.artists = t.main_artists || t.featured_artists
"""

_ASSIGN = """
UPDATE consent_recording r SET profile_id = p.id
  FROM unnest(%(ids)s::bigint[], %(digests)s::text[]) AS x(id, digest)
  JOIN consent_rightsprofile p ON p.digest = x.digest
 WHERE r.id = x.id AND r.profile_id IS DISTINCT FROM p.id
RETURNING r.id
"""

_COUNT = """
WITH counted AS MATERIALIZED (
    SELECT b.artist_id, r.profile_id, min(r.id) AS example, count(*) AS recordings
      FROM consent_artistrecording b JOIN consent_recording r ON r.id = b.recording_id
     WHERE b.artist_id = ANY (%(artists)s) AND r.profile_id IS NOT NULL
     GROUP BY b.artist_id, r.profile_id
), gone AS (
    DELETE FROM consent_profilecount c
     WHERE c.artist_id = ANY (%(artists)s)
       AND NOT EXISTS (SELECT FROM counted x
                        WHERE (x.artist_id, x.profile_id) = (c.artist_id, c.profile_id))
)
INSERT INTO consent_profilecount (artist_id, profile_id, example_id, recordings)
SELECT artist_id, profile_id, example, recordings FROM counted
ON CONFLICT (artist_id, profile_id) DO UPDATE
   SET example_id = excluded.example_id, recordings = excluded.recordings
 WHERE (consent_profilecount.example_id, consent_profilecount.recordings)
       IS DISTINCT FROM (excluded.example_id, excluded.recordings)
"""


def lock_rights(
    *, recordings: Iterable[int] = (), artists: Iterable[int] = (), works: Iterable[int] = ()
) -> set[int]:
    """Take the turn to change identities or claims of these, until the transaction ends.

    Always artists first, then recordings, each in the order of their keys, so that two changes
    that meet wait for each other instead of stopping each other. Returns the keys of all
    recordings that a claim on these bears on: give them to `refresh_profiles`.
    """
    keys, people = set(recordings), set(artists)
    with connection.cursor() as cursor:
        if works := set(works):
            cursor.execute(
                "SELECT r.id FROM consent_recording r CROSS JOIN LATERAL ("
                " SELECT works FROM consent_recordingidentity i WHERE i.recording_id = r.id"
                " ORDER BY i.id DESC LIMIT 1) i WHERE i.works && %s::bigint[] AND r.id IN ("
                " SELECT recording_id FROM consent_recordingidentity WHERE works && %s::bigint[])",
                [list(works), list(works)],
            )
            keys.update(pk for (pk,) in cursor.fetchall())
        own = set(keys)
        if people:
            billed = ArtistRecording.objects.filter(artist__in=people)
            keys.update(billed.values_list("recording", flat=True))
        people.update(
            ArtistRecording.objects.filter(recording__in=own)
            .values_list("artist", flat=True)
            .distinct()
        )
        cursor.execute(
            "SELECT FROM consent_artist WHERE party_id = ANY (%s)"
            " ORDER BY party_id FOR NO KEY UPDATE",
            [sorted(people)],
        )
        cursor.execute(
            "SELECT FROM consent_recording WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE",
            [sorted(own)],
        )
    return keys


def refresh_profiles(recording_ids: Collection[int], *, artists: Collection[int] = ()) -> int:
    """Group these recordings anew after their identity or a claim on them changed.

    Call it in the same transaction, after the facts are written and under `lock_rights`; name in
    `artists` those who were billed before and are no longer. Returns how many recordings moved
    to another group. The number of statements does not grow with the recordings.
    """
    people = set(artists)
    moved: list[int] = []
    with connection.cursor() as cursor:
        if recording_ids:
            cursor.execute(_DIGESTS, {"ids": list(recording_ids)})
            rows = cursor.fetchall()
            digests = [digest for _, digest in rows]
            cursor.execute(
                "INSERT INTO consent_rightsprofile (digest) SELECT unnest(%s::text[])"
                " ON CONFLICT (digest) DO NOTHING",
                [sorted(set(digests))],
            )
            cursor.execute(_ASSIGN, {"ids": [pk for pk, _ in rows], "digests": digests})
            moved = [pk for (pk,) in cursor.fetchall()]
        if moved:
            people.update(
                Artist.objects.filter(billed__recording__in=moved)
                .values_list("pk", flat=True)
                .distinct()
            )
        if people:
            cursor.execute(_COUNT, {"artists": sorted(people)})
    return len(moved)


def refresh_all() -> int:
    """Group the whole catalogue anew; returns how many recordings moved (0: all was right)."""
    return refresh_profiles(list(Recording.objects.values_list("pk", flat=True)))
