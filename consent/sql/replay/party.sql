-- What a leaf must say that a state of a party is derived from.
SELECT e.seq, e.body AS told,
       true AS fits,
       jsonb_build_object(
           'by', e.by,
           'party', p.ref,
           'kind', f.kind,
           'suspended', f.suspended,
           'is_minor', f.is_minor,
           'is_estate', f.is_estate,
           'guardian', g.ref,
           'members', (
               SELECT coalesce(jsonb_agg(m.ref ORDER BY m.ref::text COLLATE "C"), '[]')
                 FROM consent_party m WHERE m.id = ANY (f.members))) AS body
  FROM consent_partystate f
  JOIN entry e ON e.id = f.entry_id
  JOIN consent_party p ON p.id = f.party_id
  LEFT JOIN consent_party g ON g.id = f.guardian_id
