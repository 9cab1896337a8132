-- What a leaf must say that an answer is derived from.
SELECT e.seq, e.body AS told,
       e.kind = 'permission.' || f.way
           AND f.act_id = e.act
           AND e.artist_id = f.artist_id
           AND f.scope = coalesce('r' || f.recording_id, '*') || '/'
               || coalesce('t' || f.tool_id, 'c' || f.company_id, '*') AS fits,
       jsonb_build_object(
           'artist', p.ref,
           'by', e.by,
           'company', cp.ref,
           'from', MOMENT(f.valid_from),
           'notice_days', f.notice_days,
           'recording', r.isrc,
           'role', e.role,
           'stance', f.stance,
           'territories', f.territories,
           'took_back_allow', f.took_back_allow,
           'tool', t.ref,
           'until', MOMENT(f.valid_until),
           'use', f.use,
           'way', f.way,
           'wording', w.digest) AS body
  FROM consent_permission f
  JOIN entry e ON e.id = f.entry_id
  JOIN consent_party p ON p.id = f.artist_id
  LEFT JOIN consent_party cp ON cp.id = f.company_id
  LEFT JOIN consent_recording r ON r.id = f.recording_id
  LEFT JOIN consent_tool t ON t.id = f.tool_id
  LEFT JOIN consent_wording w ON w.id = f.wording_id
