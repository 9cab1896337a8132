-- Answering takes two calls, each one round trip: one takes the artist's turn and says what must be
-- known, one writes. Both run with the rights of who calls them.

-- Let one writer at a time answer for an artist, until commit; nothing when there is none. What is
-- read after the lock sees what the writer before has committed, which one statement with a lock in
-- it would not. `latest` is the last answer in one slot, where a scope is given.
CREATE OR REPLACE FUNCTION permission_turn(
    p_artist bigint, p_use text, p_scope text, p_territories text[]
) RETURNS TABLE (party uuid, at timestamptz, latest consent_permission)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    SELECT p.ref INTO party FROM consent_artist a JOIN consent_party p ON p.id = a.party_id
     WHERE a.party_id = p_artist FOR UPDATE OF a;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT party, ledger.now, said.one
      FROM (SELECT greatest(coalesce(h.demo_now, clock_timestamp()), h.recorded_at) AS now
              FROM consent_ledgerhead h WHERE h.id = 1) ledger
      LEFT JOIN LATERAL (
        SELECT p AS one FROM consent_permission p
         WHERE p.artist_id = p_artist AND p.use = p_use AND p.scope = p_scope
           AND p.territories = p_territories::varchar[]
         ORDER BY p.id DESC LIMIT 1) said ON true;
END $$;

-- Does a yes speak beside an answer that begins at `p_begins`, of which it takes something back; or
-- a no after a yes, whose outputs may still run off? The answer is for a recording or for each of
-- several (`p_recording`, or `p_recordings`), or for a company or a tool (with its maker), or for all
-- her work. Narrower yeses stand: one for a recording matters to a no for a company or a tool only.
CREATE OR REPLACE FUNCTION permission_beside(
    p_artist bigint, p_use text, p_begins timestamptz, p_recordings boolean, p_recording bigint,
    p_company bigint, p_tool bigint
) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    by_maker CONSTANT boolean :=
        NOT p_recordings AND (p_company IS NOT NULL OR p_tool IS NOT NULL);
    maker CONSTANT bigint :=
        coalesce(p_company, (SELECT t.company_id FROM consent_tool t WHERE t.id = p_tool));
BEGIN
    -- Sorted once: looking for a newer one of each would take minutes among 40 000 answers.
    RETURN EXISTS (
        SELECT FROM (
            SELECT DISTINCT ON (p.scope, p.territories) p.stance, p.took_back_allow, p.valid_until
              FROM consent_permission p LEFT JOIN consent_tool t ON t.id = p.tool_id
             WHERE p.artist_id = p_artist AND p.use = p_use
               AND (p.valid_from IS NULL OR p.valid_from <= p_begins)
               AND (NOT p_recordings OR p.recording_id IS NULL OR p.recording_id = p_recording)
               AND (NOT by_maker OR (
                        (p.company_id IS NULL OR p.company_id = maker)
                        AND (p.tool_id IS NULL OR p.tool_id = p_tool OR t.company_id = p_company)))
             ORDER BY p.scope, p.territories, p.id DESC
        ) speaking
         WHERE (speaking.stance = 'allow' OR speaking.took_back_allow)
           AND (speaking.valid_until IS NULL OR speaking.valid_until > p_begins));
END $$;

-- Write an act, its answers in their order, and last their leaves. Rows come as JSON with the names
-- of their columns; `ids` are the answers' keys in that order.
CREATE OR REPLACE FUNCTION permission_append(
    p_act jsonb, p_permissions jsonb, p_entries uuid[], p_kinds text[], p_bodies text[]
) RETURNS TABLE (ids bigint[], first_seq bigint, recorded_at timestamptz)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO consent_act SELECT * FROM jsonb_populate_record(NULL::consent_act, p_act);
    WITH said AS (
        INSERT INTO consent_permission (
            entry_id, artist_id, use, scope, recording_id, company_id, tool_id, stance, way,
            valid_from, valid_until, territories, notice_days, took_back_allow, wording_id, act_id)
        SELECT entry_id, artist_id, use, scope, recording_id, company_id, tool_id, stance, way,
            valid_from, valid_until, territories, notice_days, took_back_allow, wording_id, act_id
          FROM jsonb_populate_recordset(NULL::consent_permission, p_permissions)
               WITH ORDINALITY AS p
         ORDER BY p.ordinality
        RETURNING id
    )
    SELECT array_agg(said.id ORDER BY said.id) INTO ids FROM said;
    SELECT l.first_seq, l.recorded_at INTO first_seq, recorded_at
      FROM ledger_append((p_act ->> 'ref')::uuid, p_entries, p_kinds, p_bodies) l;
    RETURN NEXT;
END $$;
