-- A month moves forward one state at a time, in the order of the months; what is written into it
-- must fit the state it is in. Each check locks the month's row, so that nothing slips in beside a
-- change of its state.

CREATE OR REPLACE FUNCTION period_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_states text[] := ARRAY['open', 'sealed', 'allocated', 'posted', 'published'];
BEGIN
    IF NEW.starts_on <> OLD.starts_on THEN
        RAISE EXCEPTION 'a period is the month it is'
            USING ERRCODE = '23514', CONSTRAINT = 'a_period_stays_its_month';
    END IF;
    IF NEW.state = OLD.state THEN
        IF NEW.sealed_at IS DISTINCT FROM OLD.sealed_at
                OR NEW.published_at IS DISTINCT FROM OLD.published_at THEN
            RAISE EXCEPTION 'when a period was closed does not change'
                USING ERRCODE = '23514', CONSTRAINT = 'a_period_moves_forward';
        END IF;
        RETURN NEW;
    END IF;
    IF array_position(v_states, NEW.state::text)
            IS DISTINCT FROM array_position(v_states, OLD.state::text) + 1 THEN
        RAISE EXCEPTION 'a period does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = '23514', CONSTRAINT = 'a_period_moves_forward';
    END IF;
    IF NEW.state = 'sealed' AND EXISTS (
            SELECT 1 FROM royalties_period p
             WHERE p.starts_on < NEW.starts_on AND p.state <> 'published') THEN
        RAISE EXCEPTION 'an earlier month is not published yet'
            USING ERRCODE = '23514', CONSTRAINT = 'months_are_closed_in_order';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER period_moves_forward BEFORE UPDATE ON royalties_period
    FOR EACH ROW EXECUTE FUNCTION period_moves_forward();

-- A month may be opened only after the last closed one: what is carried on goes forward.
CREATE OR REPLACE FUNCTION period_opens_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'open' THEN
        RAISE EXCEPTION 'a period begins open'
            USING ERRCODE = '23514', CONSTRAINT = 'a_period_moves_forward';
    END IF;
    IF EXISTS (SELECT 1 FROM royalties_period p
                WHERE p.starts_on > NEW.starts_on AND p.state <> 'open') THEN
        RAISE EXCEPTION 'a later month is closed already'
            USING ERRCODE = '23514', CONSTRAINT = 'months_are_closed_in_order';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER period_opens_in_order BEFORE INSERT ON royalties_period
    FOR EACH ROW EXECUTE FUNCTION period_opens_in_order();

CREATE OR REPLACE FUNCTION period_must_be(p_periods bigint[], p_states text[], p_what text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_period record;
BEGIN
    FOR v_period IN
        SELECT id, starts_on, state FROM royalties_period
         WHERE id = ANY (p_periods) ORDER BY id FOR SHARE
    LOOP
        IF NOT v_period.state = ANY (p_states) THEN
            RAISE EXCEPTION 'no % for % now: it is %', p_what,
                to_char(v_period.starts_on, 'YYYY-MM'), v_period.state
                USING ERRCODE = '23514', CONSTRAINT = 'a_closed_period_stays_closed';
        END IF;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION usage_fits_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM period_must_be(
        ARRAY(SELECT DISTINCT period_id FROM added), ARRAY['open'], 'use');
    IF EXISTS (SELECT 1 FROM added a JOIN royalties_period p ON p.id = a.period_id
                WHERE a.occurred_at >= (p.starts_on + interval '1 month') AT TIME ZONE 'UTC') THEN
        RAISE EXCEPTION 'a use is paid in its own month or a later one'
            USING ERRCODE = '23514', CONSTRAINT = 'a_use_is_paid_in_its_month_or_later';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER usage_fits_period AFTER INSERT ON royalties_usageevent
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION usage_fits_period();

CREATE OR REPLACE FUNCTION allocation_fits_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM period_must_be(
        ARRAY(SELECT DISTINCT period_id FROM added), ARRAY['sealed'], 'allocation');
    RETURN NULL;
END $$;

CREATE TRIGGER allocation_fits_period AFTER INSERT ON royalties_allocation
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION allocation_fits_period();

-- What closes a month is posted while that month is being closed, all else while it is open.
CREATE OR REPLACE FUNCTION transaction_fits_period() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_kind text;
BEGIN
    FOR v_kind IN SELECT DISTINCT kind FROM added LOOP
        PERFORM period_must_be(
            ARRAY(SELECT DISTINCT period_id FROM added WHERE kind = v_kind),
            CASE WHEN v_kind IN ('allocation', 'release') THEN ARRAY['allocated']
                 WHEN v_kind = 'carry' THEN ARRAY['posted']
                 ELSE ARRAY['open'] END,
            'posting');
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER transaction_fits_period AFTER INSERT ON royalties_transaction
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION transaction_fits_period();

CREATE OR REPLACE FUNCTION statement_fits_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM period_must_be(
        ARRAY(SELECT DISTINCT period_id FROM added), ARRAY['posted'], 'statement');
    RETURN NULL;
END $$;

CREATE TRIGGER statement_fits_period AFTER INSERT ON royalties_statement
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION statement_fits_period();
