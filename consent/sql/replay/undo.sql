-- What an act undid is what spoke last in each of its slots, before it.
SELECT 'answers undo another act than theirs says' AS what, e.seq::text
  FROM consent_act a
  JOIN consent_permission f ON f.act_id = a.ref
  JOIN consent_ledgerentry e ON e.id = f.entry_id
 WHERE f.act_id = ANY (ARRAY(SELECT o.ref FROM consent_act o WHERE o.undoes_id IS NOT NULL))
   AND e.seq > %(after)s AND e.seq <= %(until)s
   AND a.undoes_id IS DISTINCT FROM (
       SELECT b.act_id FROM consent_permission b
        WHERE b.artist_id = f.artist_id AND b.use = f.use AND b.scope = f.scope
          AND b.territories = f.territories AND b.id < f.id AND b.act_id <> f.act_id
        ORDER BY b.id DESC LIMIT 1)
 ORDER BY 1, e.seq
