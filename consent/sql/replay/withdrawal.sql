-- Where what must stop, or that it was confirmed, differs from the entries that say so.
WITH leaf AS MATERIALIZED (
    SELECT e.seq, e.recorded_at, e.body::jsonb AS body
      FROM consent_ledgerentry e
     WHERE e.seq > %(after)s AND e.seq <= %(until)s AND e.kind = 'withdrawal.acknowledged'
), row AS MATERIALIZED (
    SELECT w.*, jsonb_build_object('company', c.ref, 'withdrawal', w.ref) AS body
      FROM consent_withdrawal w JOIN consent_party c ON c.id = w.company_id
)
SELECT 'withdrawals that were confirmed are gone, or are not confirmed' AS what, leaf.seq::text
  FROM leaf LEFT JOIN row w ON w.ref::text = leaf.body ->> 'withdrawal'
 WHERE w.acknowledged_at IS NULL
UNION ALL
SELECT 'withdrawals were confirmed otherwise than their entries say', leaf.seq::text
  FROM leaf JOIN row w ON w.ref::text = leaf.body ->> 'withdrawal'
 WHERE w.body <> leaf.body OR w.acknowledged_at > leaf.recorded_at
    OR w.acknowledged_at < leaf.recorded_at - interval '1 hour'
UNION ALL
SELECT 'withdrawals are confirmed that nobody confirmed', w.id::text
  FROM row w
 WHERE %(after)s = 0 AND w.acknowledged_at IS NOT NULL AND NOT EXISTS (
     SELECT FROM leaf WHERE leaf.body ->> 'withdrawal' = w.ref::text)
UNION ALL
SELECT 'withdrawals do not fit the answer that they come of', w.id::text
  FROM consent_withdrawal w
  LEFT JOIN consent_permission f ON f.id = w.permission_id
  LEFT JOIN consent_ledgerentry e ON e.id = f.entry_id
  LEFT JOIN consent_modelversion m ON m.id = w.model_version_id
  LEFT JOIN consent_tool t ON t.id = coalesce(m.tool_id, f.tool_id)
 WHERE (%(after)s = 0 OR e.seq > %(after)s) AND (e.seq <= %(until)s OR e.seq IS NULL)
   AND (e.seq IS NULL OR f.artist_id <> w.artist_id OR w.created_at <> e.recorded_at
        OR w.acknowledge_by <> greatest(f.valid_from, e.recorded_at) + interval '168 hours'
        OR f.company_id <> w.company_id OR t.company_id <> w.company_id
        OR f.tool_id <> m.tool_id)
ORDER BY 1, 2
