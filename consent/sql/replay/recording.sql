-- What a leaf must say that an identity of a recording is derived from.
SELECT e.seq, e.body AS told,
       f.isrc = r.isrc AS fits,
       jsonb_build_object(
           'by', e.by,
           'isrc', r.isrc,
           'recording', r.ref,
           'main_artists', (
               SELECT coalesce(jsonb_agg(p.ref ORDER BY x.i), '[]')
                 FROM unnest(f.main_artists) WITH ORDINALITY x(id, i)
                 JOIN consent_party p ON p.id = x.id),
           'featured_artists', (
               SELECT coalesce(jsonb_agg(p.ref ORDER BY x.i), '[]')
                 FROM unnest(f.featured_artists) WITH ORDINALITY x(id, i)
                 JOIN consent_party p ON p.id = x.id),
           'voices', (
               SELECT coalesce(jsonb_agg(p.ref ORDER BY x.i), '[]')
                 FROM unnest(f.voices) WITH ORDINALITY x(id, i)
                 JOIN consent_party p ON p.id = x.id),
           'works', (
               SELECT coalesce(jsonb_agg(w.ref ORDER BY w.ref::text COLLATE "C"), '[]')
                 FROM consent_work w WHERE w.id = ANY (f.works)),
           'withdrawn', f.withdrawn) AS body
  FROM consent_recordingidentity f
  JOIN entry e ON e.id = f.entry_id
  JOIN consent_recording r ON r.id = f.recording_id
