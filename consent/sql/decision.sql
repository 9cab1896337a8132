-- Everything that decisions on these recordings, uses and tools read, in one snapshot.
--
-- Knows nothing of the rules: `consent.decisions` decides. A function, so that its plan is made
-- once per connection. p_at NULL is now; p_known NULL is all that is known. A fact speaks at p_at
-- when it was recorded by then and, where it names a beginning, has begun.
CREATE OR REPLACE FUNCTION decision_facts(
    p_isrcs text[], p_uses text[], p_tools text[], p_models uuid[],
    p_at timestamptz DEFAULT NULL, p_known bigint DEFAULT NULL
) RETURNS json LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    v_seq bigint;
    v_at timestamptz;
    v_result json;
BEGIN
    -- A clock that was set back must not hide what is recorded: time is never before the head's.
    SELECT least(p_known, h.seq),
           coalesce(p_at, greatest(coalesce(h.demo_now, clock_timestamp()), h.recorded_at))
      INTO v_seq, v_at FROM consent_ledgerhead h WHERE h.id = 1;

    WITH rec AS MATERIALIZED (
        SELECT r.id, r.isrc, i.main_artists, i.featured_artists, i.voices, i.works, i.withdrawn,
               i.seq
          FROM consent_recording r
         CROSS JOIN LATERAL (
            SELECT i.*, e.seq FROM consent_recordingidentity i
              JOIN consent_ledgerentry e ON e.id = i.entry_id
             WHERE i.recording_id = r.id AND e.seq <= v_seq AND e.recorded_at <= v_at
             ORDER BY i.id DESC LIMIT 1) i
         WHERE r.isrc = ANY (p_isrcs)
    ), tool AS MATERIALIZED (
        SELECT t.id, t.slug, t.company_id, s.suspended, s.seq
          FROM consent_tool t
         CROSS JOIN LATERAL (
            SELECT s.suspended, e.seq FROM consent_toolstate s
              JOIN consent_ledgerentry e ON e.id = s.entry_id
             WHERE s.tool_id = t.id AND e.seq <= v_seq AND e.recorded_at <= v_at
             ORDER BY s.id DESC LIMIT 1) s
         WHERE t.slug = ANY (p_tools)
    ), model AS (
        SELECT m.id, m.ref, m.tool_id, s.retired, b.recorded_at
          FROM consent_modelversion m
         CROSS JOIN LATERAL (
            SELECT s.retired FROM consent_modelversionstate s
              JOIN consent_ledgerentry e ON e.id = s.entry_id
             WHERE s.model_version_id = m.id AND e.seq <= v_seq AND e.recorded_at <= v_at
             ORDER BY s.id DESC LIMIT 1) s
         CROSS JOIN LATERAL (
            SELECT e.recorded_at FROM consent_modelversionstate s
              JOIN consent_ledgerentry e ON e.id = s.entry_id
             WHERE s.model_version_id = m.id ORDER BY s.id LIMIT 1) b
         WHERE m.ref = ANY (p_models)
    ), asked AS MATERIALIZED (
        SELECT DISTINCT unnest(main_artists || featured_artists || voices) AS id FROM rec
    ), found AS (
        SELECT c.id FROM consent_rightsclaim c
         WHERE c.recording_id IN (SELECT id FROM rec)
        UNION ALL
        SELECT c.id FROM consent_rightsclaim c
         WHERE c.work_id IN (SELECT unnest(works) FROM rec)
        UNION ALL
        SELECT c.id FROM consent_rightsclaim c
         WHERE c.repertoire_id IN (SELECT id FROM asked)
    ), version AS MATERIALIZED (
        SELECT c.*, e.seq, c.valid_from > v_at AS later
          FROM found f JOIN consent_rightsclaim c ON c.id = f.id
          JOIN consent_ledgerentry e ON e.id = c.entry_id
         WHERE e.seq <= v_seq AND e.recorded_at <= v_at
    ), claim AS MATERIALIZED (
        SELECT DISTINCT ON (claim) * FROM version WHERE later IS NOT TRUE
         ORDER BY claim, id DESC
    ), licence AS MATERIALIZED (
        SELECT l.ref, l.holder_id, l.company_id, v.*, e.seq, e.recorded_at,
               v.starts_at > v_at AS later
          FROM consent_licence l
          JOIN consent_licenceversion v ON v.licence_id = l.id
          JOIN consent_ledgerentry e ON e.id = v.entry_id
         WHERE l.company_id IN (SELECT company_id FROM tool)
           AND (l.holder_id IN (SELECT party_id FROM claim WHERE NOT ended)
                OR l.holder_id IN (SELECT id FROM asked))
           AND e.seq <= v_seq AND e.recorded_at <= v_at
    ), signed AS MATERIALIZED (
        SELECT DISTINCT ON (licence_id) * FROM licence WHERE later IS NOT TRUE
         ORDER BY licence_id, id DESC
    ), scope AS (
        SELECT r.key || '/' || m.key AS key
          FROM (SELECT '*' AS key UNION ALL SELECT 'r' || id FROM rec) r,
               (SELECT '*' AS key UNION ALL SELECT 't' || id FROM tool
                UNION SELECT 'c' || company_id FROM tool) m
    ), answer AS MATERIALIZED (
        SELECT p.*, e.seq, e.recorded_at, p.valid_from > v_at AS later
          FROM consent_permission p
          JOIN consent_ledgerentry e ON e.id = p.entry_id
         WHERE p.artist_id IN (SELECT id FROM asked) AND p.use = ANY (p_uses)
           AND p.scope IN (SELECT key FROM scope)
           AND e.seq <= v_seq AND e.recorded_at <= v_at
    ), spoken AS (
        SELECT DISTINCT ON (artist_id, use, scope, territories) * FROM answer
         WHERE later IS NOT TRUE
         ORDER BY artist_id, use, scope, territories, id DESC
    ), concerned AS (
        SELECT id FROM asked UNION SELECT party_id FROM claim UNION SELECT company_id FROM tool
    ), party AS (
        SELECT c.id, s.kind, s.suspended, s.is_minor, s.guardian_id
          FROM concerned c
         CROSS JOIN LATERAL (
            SELECT s.* FROM consent_partystate s
              JOIN consent_ledgerentry e ON e.id = s.entry_id
             WHERE s.party_id = c.id AND e.seq <= v_seq AND e.recorded_at <= v_at
             ORDER BY s.id DESC LIMIT 1) s
    )
    SELECT json_build_object(
        'seq', v_seq,
        'at', v_at,
        'recordings', (SELECT json_agg(json_build_array(id, isrc, main_artists,
            featured_artists, voices, works, withdrawn, seq)) FROM rec),
        'tools', (SELECT json_agg(json_build_array(id, slug, company_id, suspended, seq))
            FROM tool),
        'models', (SELECT json_agg(json_build_array(id, ref, tool_id, retired, recorded_at))
            FROM model),
        'parties', (SELECT json_agg(json_build_array(id, kind, suspended, is_minor,
            guardian_id)) FROM party),
        'claims', (SELECT json_agg(json_build_array(party_id, "right", share_bp, authority, seq,
            recording_id, work_id, repertoire_id, territories, valid_until, standing))
            FROM claim WHERE NOT ended),
        'licences', (SELECT json_agg(json_build_array(id, ref, number, holder_id, company_id, uses,
            catalogue, seq, coalesce(starts_at, recorded_at), territories, ends_at, notice_days,
            model_versions, artist_approval, override_clause, ended)) FROM signed),
        'listings', (SELECT json_agg(json_build_array(x.version_id, x.recording_id))
            FROM consent_licencelisting x
           WHERE x.version_id IN (SELECT id FROM signed WHERE catalogue <> 'all')
             AND x.recording_id IN (SELECT id FROM rec)),
        'answers', (SELECT json_agg(json_build_array(artist_id, use, stance, seq, recorded_at, way,
            recording_id, company_id, tool_id, territories, valid_until, notice_days,
            took_back_allow)) FROM spoken),
        'later', (SELECT json_agg(x) FROM (
            SELECT json_build_array('answer', artist_id, use, valid_from) AS x
              FROM answer WHERE later
            UNION ALL
            SELECT json_build_array('claim', coalesce(recording_id, work_id, repertoire_id), "right",
                   valid_from) FROM version WHERE later
            UNION ALL
            SELECT json_build_array('licence', holder_id, company_id, starts_at)
              FROM licence WHERE later) y)
    ) INTO v_result;
    RETURN v_result;
END $$;
