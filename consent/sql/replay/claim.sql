-- What a leaf must say that a state of a rights claim is derived from.
SELECT e.seq, e.body AS told,
       (e.kind = 'claim.ended') = f.ended AS fits,
       jsonb_build_object(
           'by', e.by,
           'claim', f.claim,
           'party', p.ref,
           'on', CASE
               WHEN r.id IS NOT NULL THEN jsonb_build_object('isrc', r.isrc)
               WHEN w.id IS NOT NULL THEN jsonb_build_object('work', w.ref)
               ELSE jsonb_build_object('repertoire', a.ref) END,
           'right', f."right",
           'share_bp', f.share_bp,
           'territories', f.territories,
           'valid_from', MOMENT(f.valid_from),
           'valid_until', MOMENT(f.valid_until),
           'authority', f.authority,
           'standing', f.standing,
           'source', f.source,
           'ended', f.ended) AS body
  FROM consent_rightsclaim f
  JOIN entry e ON e.id = f.entry_id
  JOIN consent_party p ON p.id = f.party_id
  LEFT JOIN consent_recording r ON r.id = f.recording_id
  LEFT JOIN consent_work w ON w.id = f.work_id
  LEFT JOIN consent_party a ON a.id = f.repertoire_id
