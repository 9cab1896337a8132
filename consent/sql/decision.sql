-- Everything that decisions on these recordings, uses and tools read, in one snapshot.
--
-- Knows nothing of the rules: `consent.decisions` decides. STABLE, so that every statement in it
-- reads the snapshot of the one query that calls it; small statements, so that each plan is made
-- once per connection and starts fast. p_at NULL is now; p_known NULL is all that is known. A fact
-- speaks at p_at when it was recorded by then and, where it names a beginning, has begun.
--
-- What a snapshot shows was recorded before now and is known, so only a question about the past
-- asks the ledger which facts to leave out. Rows name their entry; `entries` says where it stands
-- and when it was recorded. p_light leaves that out where no decision reads it. By whom a yes to a
-- likeness was given, and when, comes with it: for a minor that decides.
CREATE OR REPLACE FUNCTION decision_facts(
    p_isrcs text[], p_uses text[], p_tools text[], p_models uuid[],
    p_at timestamptz DEFAULT NULL, p_known bigint DEFAULT NULL, p_light boolean DEFAULT false
) RETURNS json LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_now boolean := p_at IS NULL AND p_known IS NULL;
    v_seq bigint;
    v_at timestamptz;
    v_recordings json; v_tools json; v_models json; v_claims json; v_licences json;
    v_listings json; v_answers json; v_parties json; v_entries json; v_meanings json;
    v_rows consent_recordingidentity[]; v_row consent_recordingidentity;
    v_ids bigint[]; v_asked bigint[] := '{}'; v_works bigint[] := '{}';
    v_tool_ids bigint[]; v_companies bigint[]; v_holders bigint[]; v_listed bigint[];
    v_later_claims json[]; v_later_licences json[]; v_later_answers json[];
    v_found uuid[] := '{}'; v_more uuid[];
BEGIN
    -- A clock that was set back must not hide what is recorded: time is never before the head's.
    SELECT least(p_known, h.seq),
           coalesce(p_at, greatest(coalesce(h.demo_now, clock_timestamp()), h.recorded_at))
      INTO v_seq, v_at FROM consent_ledgerhead h WHERE h.id = 1;

    SELECT json_agg(json_build_array(r.id, r.isrc, (i.row).main_artists, (i.row).featured_artists,
                (i.row).voices, (i.row).works, (i.row).withdrawn, (i.row).entry_id)),
           array_agg(r.id), array_agg(i.row)
      INTO v_recordings, v_ids, v_rows
      FROM consent_recording r
     CROSS JOIN LATERAL (
        SELECT i AS row FROM consent_recordingidentity i
         WHERE i.recording_id = r.id AND (v_now OR EXISTS (
             SELECT 1 FROM consent_ledgerentry e
              WHERE e.id = i.entry_id AND e.seq <= v_seq AND e.recorded_at <= v_at))
         ORDER BY i.id DESC LIMIT 1) i
     WHERE r.isrc = ANY (p_isrcs);

    SELECT json_agg(json_build_array(t.id, t.slug, t.company_id, s.suspended, s.entry_id)),
           array_agg(t.id), array_agg(t.company_id), coalesce(array_agg(s.entry_id), '{}')
      INTO v_tools, v_tool_ids, v_companies, v_more
      FROM consent_tool t
     CROSS JOIN LATERAL (
        SELECT s.suspended, s.entry_id FROM consent_toolstate s
         WHERE s.tool_id = t.id AND (v_now OR EXISTS (
             SELECT 1 FROM consent_ledgerentry e
              WHERE e.id = s.entry_id AND e.seq <= v_seq AND e.recorded_at <= v_at))
         ORDER BY s.id DESC LIMIT 1) s
     WHERE t.slug = ANY (p_tools);
    v_found := v_more;

    FOREACH v_row IN ARRAY coalesce(v_rows, '{}') LOOP
        v_asked := v_asked || v_row.main_artists || v_row.featured_artists || v_row.voices;
        v_works := v_works || v_row.works;
        v_found := v_found || v_row.entry_id;
    END LOOP;

    -- A question that names no tool asks what holds for everybody.
    IF v_ids IS NOT NULL AND (v_tool_ids IS NOT NULL OR p_tools = '{""}') THEN
        IF p_models <> '{}' THEN
            SELECT json_agg(json_build_array(m.id, m.ref, m.tool_id, s.retired, b.recorded_at))
              INTO v_models
              FROM consent_modelversion m
             CROSS JOIN LATERAL (
                SELECT s.retired FROM consent_modelversionstate s
                 WHERE s.model_version_id = m.id AND (v_now OR EXISTS (
                     SELECT 1 FROM consent_ledgerentry e
                      WHERE e.id = s.entry_id AND e.seq <= v_seq AND e.recorded_at <= v_at))
                 ORDER BY s.id DESC LIMIT 1) s
             CROSS JOIN LATERAL (
                SELECT e.recorded_at FROM consent_modelversionstate s
                  JOIN consent_ledgerentry e ON e.id = s.entry_id
                 WHERE s.model_version_id = m.id ORDER BY s.id LIMIT 1) b
             WHERE m.ref = ANY (p_models);
        END IF;

        WITH version AS MATERIALIZED (
            SELECT c.*, c.valid_from > v_at AS later
              FROM (SELECT * FROM consent_rightsclaim WHERE recording_id = ANY (v_ids)
                    UNION ALL
                    SELECT * FROM consent_rightsclaim WHERE work_id = ANY (v_works)
                    UNION ALL
                    SELECT * FROM consent_rightsclaim WHERE repertoire_id = ANY (v_asked)) c
             WHERE (v_now OR EXISTS (
                 SELECT 1 FROM consent_ledgerentry e
                  WHERE e.id = c.entry_id AND e.seq <= v_seq AND e.recorded_at <= v_at))
        ), spoken AS (
            SELECT DISTINCT ON (claim) * FROM version WHERE later IS NOT TRUE
             ORDER BY claim, id DESC
        )
        SELECT json_agg(json_build_array(party_id, "right", share_bp, authority, entry_id,
                    recording_id, work_id, repertoire_id, territories, valid_until, standing)),
               array_agg(party_id), coalesce(array_agg(entry_id), '{}'),
               (SELECT array_agg(json_build_array('claim', v.valid_from, v.recording_id,
                        v.work_id, v.repertoire_id))
                  FROM version v WHERE v.later)
          INTO v_claims, v_holders, v_more, v_later_claims
          FROM spoken WHERE NOT ended;
        v_found := v_found || v_more;

        WITH version AS MATERIALIZED (
            SELECT l.ref, l.holder_id, l.company_id, v.*, v.starts_at > v_at AS later
              FROM consent_licence l
              JOIN consent_licenceversion v ON v.licence_id = l.id
             WHERE l.company_id = ANY (v_companies) AND l.holder_id = ANY (v_holders || v_asked)
               AND (v_now OR EXISTS (
                   SELECT 1 FROM consent_ledgerentry e
                    WHERE e.id = v.entry_id AND e.seq <= v_seq AND e.recorded_at <= v_at))
        ), spoken AS (
            SELECT DISTINCT ON (licence_id) * FROM version WHERE later IS NOT TRUE
             ORDER BY licence_id, id DESC
        )
        SELECT json_agg(json_build_array(id, ref, number, holder_id, company_id, uses, catalogue,
                    entry_id, starts_at, territories, ends_at, notice_days, model_versions,
                    artist_approval, override_clause, ended)),
               array_agg(id) FILTER (WHERE catalogue <> 'all'), coalesce(array_agg(entry_id), '{}'),
               (SELECT array_agg(json_build_array('licence', v.starts_at, v.holder_id,
                        v.company_id))
                  FROM version v WHERE v.later)
          INTO v_licences, v_listed, v_more, v_later_licences
          FROM spoken;
        v_found := v_found || v_more;

        IF v_listed IS NOT NULL THEN
            SELECT json_agg(json_build_array(x.version_id, x.recording_id)) INTO v_listings
              FROM consent_licencelisting x
             WHERE x.version_id = ANY (v_listed) AND x.recording_id = ANY (v_ids);
        END IF;

        -- The version of each text since which it means what it means: most often the first.
        SELECT json_object_agg(w.use, w.version) INTO v_meanings
          FROM (SELECT w.use, max(w.version) AS version FROM consent_wording w
                 WHERE w.use = ANY (p_uses) AND w.version > 1 AND NOT w.means_the_same
                   AND (v_now OR EXISTS (
                       SELECT 1 FROM consent_ledgerentry e
                        WHERE e.id = w.entry_id AND e.seq <= v_seq AND e.recorded_at <= v_at))
                 GROUP BY w.use) w;

        WITH version AS MATERIALIZED (
            SELECT p.*, p.valid_from > v_at AS later
              FROM (SELECT * FROM consent_permission
                     WHERE artist_id = ANY (v_asked) AND use = ANY (p_uses)
                       AND recording_id IS NULL
                    UNION ALL
                    SELECT * FROM consent_permission
                     WHERE recording_id = ANY (v_ids) AND use = ANY (p_uses)) p
             WHERE (p.company_id IS NULL OR p.company_id = ANY (v_companies))
               AND (p.tool_id IS NULL OR p.tool_id = ANY (v_tool_ids))
               AND (v_now OR EXISTS (
                   SELECT 1 FROM consent_ledgerentry e
                    WHERE e.id = p.entry_id AND e.seq <= v_seq AND e.recorded_at <= v_at))
        ), spoken AS (
            SELECT DISTINCT ON (artist_id, use, scope, territories) * FROM version
             WHERE later IS NOT TRUE
             ORDER BY artist_id, use, scope, territories, id DESC
        )
        SELECT json_agg(json_build_array(artist_id, use, stance, entry_id, way, recording_id,
                    company_id, tool_id, territories, valid_until, notice_days, took_back_allow,
                    CASE WHEN v_meanings IS NOT NULL THEN (
                        SELECT w.version FROM consent_wording w WHERE w.id = wording_id) END,
                    CASE WHEN use IN ('voice', 'name_image') AND stance = 'allow' THEN (
                        SELECT json_build_array(a.role, e.recorded_at)
                          FROM consent_act a, consent_ledgerentry e
                         WHERE a.ref = act_id AND e.id = entry_id) END)),
               coalesce(array_agg(entry_id), '{}'),
               (SELECT array_agg(json_build_array('answer', v.valid_from, v.artist_id, v.use,
                        v.recording_id, v.company_id, v.tool_id))
                  FROM version v WHERE v.later)
          INTO v_answers, v_more, v_later_answers
          FROM spoken;
        v_found := v_found || v_more;

        SELECT json_agg(json_build_array(c.id, s.kind, s.suspended, s.is_minor, s.guardian_id))
          INTO v_parties
          FROM (SELECT DISTINCT unnest(v_asked || v_holders || v_companies) AS id) c
         CROSS JOIN LATERAL (
            SELECT s.* FROM consent_partystate s
             WHERE s.party_id = c.id AND (v_now OR EXISTS (
                 SELECT 1 FROM consent_ledgerentry e
                  WHERE e.id = s.entry_id AND e.seq <= v_seq AND e.recorded_at <= v_at))
             ORDER BY s.id DESC LIMIT 1) s;
    END IF;

    -- When a yes was taken back, and what was licensed before, matters to model versions only.
    IF NOT p_light OR p_models <> '{}' THEN
        SELECT json_object_agg(e.id, json_build_array(e.seq, e.recorded_at)) INTO v_entries
          FROM consent_ledgerentry e WHERE e.id = ANY (v_found);
    END IF;
    RETURN json_build_object('seq', v_seq, 'at', v_at, 'recordings', v_recordings,
        'tools', v_tools, 'models', v_models, 'parties', v_parties, 'claims', v_claims,
        'licences', v_licences, 'listings', v_listings, 'answers', v_answers,
        'meanings', v_meanings,
        'later', v_later_claims || v_later_licences || v_later_answers, 'entries', v_entries);
END $$;
