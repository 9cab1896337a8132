-- Where a question of an AI company, or what became of it, differs from its entries.
WITH leaf AS MATERIALIZED (
    SELECT e.seq, e.kind, e.recorded_at, e.body::jsonb - 'by' - 'personal' AS body
      FROM consent_ledgerentry e
     WHERE e.seq > %(after)s AND e.seq <= %(until)s AND e.kind LIKE 'request.%%'
), question AS MATERIALIZED (
    SELECT r.*, c.id AS company_id, jsonb_build_object(
               'request', r.ref,
               'batch', r.batch,
               'company', c.ref,
               'tool', t.ref,
               'artist', p.ref,
               'use', r.use,
               'recording', x.isrc,
               'from', MOMENT(r.valid_from),
               'until', MOMENT(r.valid_until)) AS body
      FROM consent_permissionrequest r
      JOIN consent_tool t ON t.id = r.tool_id
      JOIN consent_party c ON c.id = t.company_id
      JOIN consent_party p ON p.id = r.artist_id
      LEFT JOIN consent_recording x ON x.id = r.recording_id
), made AS (
    SELECT leaf.seq, leaf.recorded_at, leaf.body AS told, q.*, f.use AS f_use, f.scope AS f_scope,
           f.territories AS f_territories, f.artist_id AS f_artist, f.stance AS f_stance,
           f.valid_until AS f_until, f.tool_id AS f_tool, f.recording_id AS f_recording,
           a.kind AS act_kind, a.created_at AS answered_in,
           EXISTS (SELECT FROM leaf b WHERE b.kind = 'request.taken_back'
                      AND b.body ->> 'request' = leaf.body ->> 'request') AS taken_back
      FROM leaf
      LEFT JOIN question q ON q.ref::text = leaf.body ->> 'request'
      LEFT JOIN consent_permission f ON f.id = q.permission_id
      LEFT JOIN consent_act a ON a.ref = f.act_id
     WHERE leaf.kind = 'request.made'
)
SELECT g.what, made.seq::text
  FROM made CROSS JOIN LATERAL (VALUES
    ('questions are gone, whose entries are here', ref IS NULL),
    ('questions do not say what their entries say', ref IS NOT NULL AND told <> body),
    ('questions were asked at another time than their entries say',
        created_at > recorded_at OR created_at < recorded_at - interval '1 hour'),
    ('questions were taken back, or were not, against what their entries say',
        ref IS NOT NULL AND taken_back <> (state = 'taken_back')),
    ('questions say of their answer what it does not say',
        ref IS NOT NULL AND CASE
            WHEN state IN ('granted', 'refused') THEN
                f_stance IS DISTINCT FROM CASE state WHEN 'granted' THEN 'allow' ELSE 'deny' END
                OR f_artist <> artist_id OR f_use <> use OR f_territories <> '{}'
                OR f_tool IS DISTINCT FROM tool_id OR f_recording IS DISTINCT FROM recording_id
                OR state = 'granted' AND f_until IS DISTINCT FROM valid_until
                OR answered_at IS NULL OR answered_at < created_at
                OR act_kind = 'request.answered' AND (
                    answered_at > answered_in OR answered_at < answered_in - interval '1 hour')
            ELSE permission_id IS NOT NULL END)
  ) g(what, wrong)
 WHERE g.wrong
UNION ALL
SELECT 'questions do not say what their entries say', leaf.seq::text
  FROM leaf LEFT JOIN question q ON q.ref::text = leaf.body ->> 'request'
 WHERE leaf.kind = 'request.taken_back'
   AND (q.body IS DISTINCT FROM leaf.body OR q.state <> 'taken_back')
UNION ALL
SELECT 'questions belong to no entry', q.id::text
  FROM question q
 WHERE %(after)s = 0 AND NOT EXISTS (
     SELECT FROM leaf WHERE leaf.kind = 'request.made' AND leaf.body ->> 'request' = q.ref::text)
UNION ALL
SELECT 'answers to a question have lost it', e.seq::text
  FROM consent_act a
  JOIN consent_permission f ON f.act_id = a.ref
  JOIN consent_ledgerentry e ON e.id = f.entry_id
 WHERE f.act_id = ANY (ARRAY(SELECT o.ref FROM consent_act o WHERE o.kind = 'request.answered'))
   AND e.seq > %(after)s AND e.seq <= %(until)s
   AND NOT EXISTS (SELECT FROM consent_permissionrequest r WHERE r.permission_id = f.id)
ORDER BY 1, 2
