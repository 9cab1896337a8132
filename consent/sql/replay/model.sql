-- What a leaf must say that a state of a model version is derived from.
SELECT e.seq, e.body AS told,
       (e.kind = 'model.retired') = f.retired AS fits,
       jsonb_build_object(
           'by', e.by,
           'model_version', m.ref,
           'name', m.name,
           'tool', t.ref,
           'retired', f.retired) AS body
  FROM consent_modelversionstate f
  JOIN entry e ON e.id = f.entry_id
  JOIN consent_modelversion m ON m.id = f.model_version_id
  JOIN consent_tool t ON t.id = m.tool_id
