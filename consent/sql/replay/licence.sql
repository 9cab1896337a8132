-- What a leaf must say that a version of a licence, and its list of recordings, is derived from.
SELECT e.seq, e.body AS told,
       (e.kind = 'licence.ended') = f.ended
           AND f.signed_at BETWEEN e.recorded_at - interval '1 hour' AND e.recorded_at AS fits,
       jsonb_build_object(
           'by', e.by,
           'licence', l.ref,
           'number', f.number,
           'holder', h.ref,
           'company', c.ref,
           'uses', f.uses,
           'catalogue', f.catalogue,
           'listed', (
               SELECT jsonb_build_object('count', count(*), 'sha256', encode(sha256(convert_to(
                          coalesce(string_agg(r.isrc || E'\n', '' ORDER BY r.isrc COLLATE "C"), ''),
                          'UTF8')), 'hex'))
                 FROM consent_licencelisting x JOIN consent_recording r ON r.id = x.recording_id
                WHERE x.version_id = f.id),
           'territories', f.territories,
           'from', MOMENT(f.starts_at),
           'until', MOMENT(f.ends_at),
           'notice_days', f.notice_days,
           'model_versions', (
               SELECT coalesce(jsonb_agg(m.ref ORDER BY m.ref::text COLLATE "C"), '[]')
                 FROM consent_modelversion m WHERE m.id = ANY (f.model_versions)),
           'artist_approval', f.artist_approval,
           'ended', f.ended) AS body
  FROM consent_licenceversion f
  JOIN entry e ON e.id = f.entry_id
  JOIN consent_licence l ON l.id = f.licence_id
  JOIN consent_party h ON h.id = l.holder_id
  JOIN consent_party c ON c.id = l.company_id
