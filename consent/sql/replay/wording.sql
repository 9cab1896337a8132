-- What a leaf must say that a wording is derived from. A leaf that says nothing of what the text
-- means is from before that was asked: then each text was a new one.
SELECT e.seq, '{"means_the_same": false}'::jsonb || e.body AS told,
       f.digest = encode(sha256(convert_to(f.text, 'UTF8')), 'hex')
           AND f.created_at BETWEEN e.recorded_at - interval '1 hour' AND e.recorded_at AS fits,
       jsonb_build_object(
           'by', e.body -> 'by',
           'digest', f.digest,
           'language', f.language,
           'means_the_same', f.means_the_same,
           'use', f.use,
           'version', f.version) AS body
  FROM consent_wording f
  JOIN entry e ON e.id = f.entry_id
