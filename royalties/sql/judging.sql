-- The moments after p_from, up to p_to, at which a fact of a decision changed. The ledger is gapless
-- and its times never go back, so the first entry after p_from is found by halving the sequence.
CREATE OR REPLACE FUNCTION decisions_changed_between(p_from timestamptz, p_to timestamptz)
RETURNS SETOF timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_low bigint := 0;
    v_high bigint;
    v_middle bigint;
BEGIN
    SELECT seq + 1 INTO v_high FROM consent_ledgerhead WHERE id = 1;
    WHILE v_high - v_low > 1 LOOP
        v_middle := (v_low + v_high) / 2;
        IF (SELECT recorded_at <= p_from FROM consent_ledgerentry WHERE seq = v_middle) THEN
            v_low := v_middle;
        ELSE
            v_high := v_middle;
        END IF;
    END LOOP;
    RETURN QUERY
        SELECT DISTINCT e.recorded_at FROM consent_ledgerentry e
         WHERE e.seq >= v_high AND e.recorded_at <= p_to
           AND split_part(e.kind, '.', 1) NOT IN ('training', 'output', 'usage')
         ORDER BY 1;
END $$;
