-- What a leaf must say that a state of a tool is derived from.
SELECT e.seq, e.body AS told,
       (e.kind = 'tool.suspended') = f.suspended AS fits,
       jsonb_build_object(
           'by', e.by,
           'tool', t.ref,
           'slug', t.slug,
           'company', p.ref,
           'suspended', f.suspended) AS body
  FROM consent_toolstate f
  JOIN entry e ON e.id = f.entry_id
  JOIN consent_tool t ON t.id = f.tool_id
  JOIN consent_party p ON p.id = t.company_id
