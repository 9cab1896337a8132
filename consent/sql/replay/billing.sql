-- Whose recording it is on pages, where that differs from its newest identity; and the kind of a
-- party, where it differs from its newest state.
WITH speaks AS (
    SELECT DISTINCT ON (i.recording_id) i.recording_id, i.main_artists, i.featured_artists
      FROM consent_recordingidentity i
     WHERE %(after)s = 0 OR i.recording_id IN (
         SELECT n.recording_id FROM consent_recordingidentity n
           JOIN consent_ledgerentry e ON e.id = n.entry_id
          WHERE e.seq > %(after)s AND e.seq <= %(until)s)
     ORDER BY i.recording_id, i.id DESC
), said AS (
    SELECT s.recording_id, x.artist_id, bool_and(x.featured) AS featured
      FROM speaks s
     CROSS JOIN LATERAL (
        SELECT unnest(s.main_artists) AS artist_id, false AS featured
        UNION ALL
        SELECT unnest(s.featured_artists), true) x
     GROUP BY s.recording_id, x.artist_id
), billed AS (
    SELECT b.recording_id, b.artist_id, b.featured FROM consent_artistrecording b
     WHERE %(after)s = 0 OR b.recording_id IN (SELECT recording_id FROM speaks)
), lives AS (
    SELECT DISTINCT ON (s.party_id) s.party_id, s.kind
      FROM consent_partystate s
     WHERE %(after)s = 0 OR s.party_id IN (
         SELECT n.party_id FROM consent_partystate n
           JOIN consent_ledgerentry e ON e.id = n.entry_id
          WHERE e.seq > %(after)s AND e.seq <= %(until)s)
     ORDER BY s.party_id, s.id DESC
)
SELECT DISTINCT 'recordings are shown as by others than they were identified as by' AS what, r.isrc
  FROM ((TABLE said EXCEPT TABLE billed) UNION ALL (TABLE billed EXCEPT TABLE said)) d
  LEFT JOIN consent_recording r ON r.id = d.recording_id
UNION ALL
SELECT 'parties are of another kind than their newest state says', p.ref::text
  FROM lives l JOIN consent_party p ON p.id = l.party_id WHERE p.kind <> l.kind
ORDER BY 1, 2
