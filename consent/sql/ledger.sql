-- The ledger's own code. Owned by the owner's login; the application may only call it.

-- Frozen: version 1 of a leaf. Canonical JSON (RFC 8785): keys sorted, no white space; `body` comes
-- as canonical JSON from the application, everything else from the columns themselves.
CREATE OR REPLACE FUNCTION ledger_leaf(
    p_act uuid, p_at timestamptz, p_body text, p_id uuid, p_kind text, p_seq bigint
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT '{"act":"' || p_act || '","at":"'
        || to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        || '","body":' || p_body || ',"id":"' || p_id || '","kind":"' || p_kind
        || '","seq":' || p_seq || ',"v":1}'
$$;

-- The one clock of the product. Only a demo ledger can have it moved, and it never runs backwards:
-- where the machine's clock was set back, time stands still until it has caught up.
CREATE OR REPLACE FUNCTION ledger_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT greatest(coalesce(demo_now, clock_timestamp()), recorded_at)
      FROM consent_ledgerhead WHERE id = 1
$$;

-- Append leaves of one act, in order, contiguous. Called last in a transaction: the lock orders all
-- writers until commit, so sequence, time and commit order agree and no number is lost. The head's
-- row would order them as well, but a row wakes every writer that waits, the lock the next in line.
CREATE OR REPLACE FUNCTION ledger_append(
    p_act uuid, p_ids uuid[], p_kinds text[], p_bodies text[]
) RETURNS TABLE (first_seq bigint, recorded_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    n integer := coalesce(array_length(p_ids, 1), 0);
    v_last bigint;
    v_at timestamptz;
BEGIN
    IF n = 0 OR array_length(p_kinds, 1) IS DISTINCT FROM n
            OR array_length(p_bodies, 1) IS DISTINCT FROM n THEN
        RAISE EXCEPTION 'an act has leaves, each with an id, a kind and a body'
            USING ERRCODE = 'LN011';
    END IF;
    PERFORM pg_advisory_xact_lock('consent_ledgerhead'::regclass::oid::bigint);
    UPDATE consent_ledgerhead h
       SET seq = h.seq + n,
           recorded_at = greatest(h.recorded_at, coalesce(h.demo_now, clock_timestamp()))
     WHERE h.id = 1
     RETURNING h.seq, h.recorded_at INTO v_last, v_at;
    INSERT INTO consent_ledgerentry (id, seq, act, kind, body, recorded_at, leaf_hash)
    SELECT x.id, v_last - n + x.i, p_act, x.kind, x.body, v_at,
           sha256('\x00'::bytea || convert_to(
               public.ledger_leaf(p_act, v_at, x.body, x.id, x.kind, v_last - n + x.i), 'UTF8'))
      FROM unnest(p_ids, p_kinds, p_bodies) WITH ORDINALITY AS x(id, kind, body, i);
    first_seq := v_last - n + 1;
    recorded_at := v_at;
    RETURN NEXT;
END $$;

-- A demo says so before its first leaf, and only the owner's login can say it.
CREATE OR REPLACE FUNCTION ledger_open_demo() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE consent_ledgerhead SET demo = true WHERE id = 1 AND seq = 0;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'only an empty ledger can become a demo' USING ERRCODE = 'LN012';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION ledger_move_demo_clock(p_now timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE consent_ledgerhead SET demo_now = p_now
     WHERE id = 1 AND demo AND (
           p_now IS NULL AND coalesce(recorded_at, '-infinity') <= clock_timestamp()
        OR p_now >= greatest(demo_now, recorded_at) OR (demo_now IS NULL AND recorded_at IS NULL));
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the clock of a demo moves forwards, and no other clock moves'
            USING ERRCODE = 'LN013';
    END IF;
END $$;

REVOKE ALL ON FUNCTION ledger_append(uuid, uuid[], text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger_open_demo() FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger_move_demo_clock(timestamptz) FROM PUBLIC;

ALTER TABLE consent_ledgerentry
    ADD CONSTRAINT a_leaf_has_a_json_body CHECK (body IS JSON OBJECT WITH UNIQUE KEYS),
    ADD CONSTRAINT a_leaf_has_a_plain_kind CHECK (kind ~ '^[a-z_]+\.[a-z_]+$');

INSERT INTO consent_ledgerhead (id, seq, demo) VALUES (1, 0, false);
