-- Where the row of an act, which is what a timeline shows, differs from the entries that it wrote.
WITH entry AS (
    SELECT e.act, e.kind::text AS kind, count(*) AS n, min(e.seq) AS first, max(e.seq) AS last,
           min(e.recorded_at) AS at
      FROM consent_ledgerentry e WHERE e.seq > %(after)s AND e.seq <= %(until)s
     GROUP BY e.act, e.kind
), said AS (
    SELECT act, sum(n) AS n, min(first) AS first, max(last) AS last, min(at) AS at,
           array_agg(kind) AS kinds
      FROM entry GROUP BY act
), act AS MATERIALIZED (
    SELECT s.act, s.n, s.first, s.last, s.at, s.kinds, e.id AS entry_id, e.body::jsonb AS body,
           a.ref, a.kind, a.undoes_id, a.summary, a.entries, a.created_at,
           k.value AS rule, u.ref::text AS by, p.ref::text AS artist
      FROM said s
      JOIN consent_ledgerentry e ON e.seq = s.last
      LEFT JOIN consent_act a ON a.ref = s.act
      LEFT JOIN jsonb_each(%(acts)s::jsonb) k ON k.key = a.kind
      LEFT JOIN {users} u ON u.id = a.by_id
      LEFT JOIN consent_party p ON p.id = a.artist_id
)
SELECT f.what, act.last::text
  FROM act CROSS JOIN LATERAL (VALUES
    ('acts are gone, whose last entries are here',
        ref IS NULL AND NOT kinds <@ %(alone)s::text[]),
    ('acts are of another kind than their entries',
        ref IS NOT NULL AND (rule IS NULL OR EXISTS (
            SELECT FROM unnest(kinds) one
             WHERE NOT one LIKE ANY (ARRAY(SELECT jsonb_array_elements_text(rule -> 'entries')))))),
    ('acts do not say how many entries they have', entries <> n OR last - first + 1 <> n),
    ('acts were at another time than their entries',
        created_at > at
        OR created_at < at - CASE WHEN kind LIKE 'import%%' THEN interval '1 day'
                                  ELSE interval '1 hour' END),
    ('acts are by somebody else than their entries',
        ref IS NOT NULL AND by IS DISTINCT FROM body ->> 'by'),
    ('acts are shown to another artist than their entries are about',
        CASE rule ->> 'artist'
            WHEN 'always' THEN coalesce(strpos(body::text, artist) = 0, true)
            WHEN 'never' THEN artist IS NOT NULL
            WHEN 'roster' THEN CASE WHEN artist IS NULL THEN body ->> 'roster' IS NULL
                                    ELSE artist IS DISTINCT FROM body ->> 'party' END
            ELSE strpos(body::text, artist) = 0 END),
    ('acts undo what they did not, or do not what they did',
        (undoes_id IS NOT NULL) <> (kind = 'permission.undone')),
    ('acts tell otherwise than their entries what was chosen',
        NOT summary ?& ARRAY(SELECT jsonb_array_elements_text(rule -> 'says'))
        OR CASE
            WHEN kind = 'permission.undone' THEN summary IS DISTINCT FROM (
                SELECT jsonb_build_object('undoes', o.ref) || o.summary
                  FROM consent_act o WHERE o.ref = act.undoes_id)
            ELSE EXISTS (
                SELECT FROM jsonb_each(summary) s
                 WHERE jsonb_typeof(s.value) IN ('string', 'number')
                   AND jsonb_typeof(s.value) = jsonb_typeof(body -> s.key)
                   AND s.value <> body -> s.key) END
        OR CASE
            WHEN rule -> 'says' ? 'scope' THEN NOT EXISTS (
                SELECT FROM consent_permission f
                 WHERE f.entry_id = act.entry_id AND f.scope = summary ->> 'scope')
            WHEN rule -> 'says' ? 'to' THEN (
                SELECT NOT (told.people @> (summary -> 'to') AND told.people <@ (summary -> 'to')
                    AND told.roles @> (summary -> 'roles') AND told.roles <@ (summary -> 'roles'))
                  FROM (SELECT jsonb_agg(x.body::jsonb -> 'to') AS people,
                               jsonb_agg(x.body::jsonb -> 'role') AS roles
                          FROM consent_ledgerentry x WHERE x.act = act.act) told)
            WHEN rule -> 'says' ? 'licences' THEN (
                SELECT told.versions IS DISTINCT FROM (
                           SELECT jsonb_agg(one ORDER BY one)
                             FROM jsonb_array_elements(summary -> 'licences') one)
                  FROM (SELECT jsonb_agg(one.it ORDER BY one.it) AS versions
                          FROM consent_ledgerentry x
                         CROSS JOIN LATERAL (SELECT jsonb_build_object(
                            'licence', x.body::jsonb -> 'licence',
                            'number', x.body::jsonb -> 'number') AS it) one
                         WHERE x.act = act.act) told)
            WHEN rule -> 'says' ? 'claims' THEN (
                SELECT told.n IS DISTINCT FROM (summary ->> 'claims')::numeric
                    OR NOT told.parties @> (summary -> 'parties')
                    OR jsonb_array_length(summary -> 'parties') < 20
                       AND NOT told.parties <@ (summary -> 'parties')
                    OR NOT (told.rights @> (summary -> 'rights')
                            AND told.rights <@ (summary -> 'rights'))
                  FROM (SELECT count(DISTINCT x.body::jsonb ->> 'claim') AS n,
                               jsonb_agg(x.body::jsonb -> 'party') AS parties,
                               jsonb_agg(x.body::jsonb -> 'right') AS rights
                          FROM consent_ledgerentry x
                         WHERE x.act = act.act AND x.kind LIKE 'claim.%%') told)
            ELSE false END)
  ) f(what, wrong)
 WHERE f.wrong
UNION ALL
-- Access to a roster on which nobody is yet is the one act that may have no entries.
SELECT 'acts have no entries', a.ref::text
  FROM consent_act a
 WHERE %(after)s = 0
   AND NOT EXISTS (SELECT FROM consent_ledgerentry e WHERE e.act = a.ref)
   AND NOT (a.entries = 0 AND a.kind LIKE 'delegation.%%'
            AND a.summary = '{"to": [], "roles": []}' AND a.undoes_id IS NULL)
ORDER BY 1, 2
