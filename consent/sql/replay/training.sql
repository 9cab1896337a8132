-- What a leaf must say that a reported training run, and each recording in it, is derived from.
-- What was sent and is in no catalogue stands in the leaf alone.
SELECT e.seq, e.body AS told,
       NOT EXISTS (SELECT FROM consent_traininguse u
                    WHERE u.run_id = f.id AND u.model_version_id <> f.model_version_id)
           AND f.reported_at BETWEEN e.recorded_at - interval '1 hour' AND e.recorded_at AS fits,
       jsonb_build_object(
           'by', e.by,
           'company', p.ref,
           'client_ref', encode(sha256(convert_to(f.client_ref, 'UTF8')), 'hex'),
           'model_version', m.ref,
           'use', f.use,
           'trained_at', MOMENT(f.trained_at),
           'manifest', f.manifest_digest,
           'allowed', (
               SELECT coalesce(jsonb_agg(r.isrc ORDER BY r.isrc COLLATE "C"), '[]')
                 FROM consent_traininguse u JOIN consent_recording r ON r.id = u.recording_id
                WHERE u.run_id = f.id AND u.allowed),
           'not_allowed', (
               SELECT coalesce(jsonb_agg(r.isrc ORDER BY r.isrc COLLATE "C"), '[]')
                 FROM consent_traininguse u JOIN consent_recording r ON r.id = u.recording_id
                WHERE u.run_id = f.id AND NOT u.allowed),
           'unknown', e.body -> 'unknown',
           'malformed', e.body -> 'malformed') AS body
  FROM consent_trainingrun f
  JOIN entry e ON e.id = f.entry_id
  JOIN consent_party p ON p.id = f.company_id
  JOIN consent_modelversion m ON m.id = f.model_version_id
