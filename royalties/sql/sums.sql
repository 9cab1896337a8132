-- What must add up, in exact numeric (sum(bigint) is numeric in PostgreSQL, so that no overflow can
-- hide an imbalance).
--
-- A parent and its parts are written in one go: each parent keeps the number of its database
-- transaction, and a part that comes in another one is refused. So a parent that was summed once
-- stays right: postings and splits at commit, allocations and statements, which are many, all
-- together when their month moves on.

ALTER TABLE royalties_transaction ADD COLUMN xact xid8 NOT NULL DEFAULT pg_current_xact_id();
ALTER TABLE royalties_allocation ADD COLUMN xact xid8 NOT NULL DEFAULT pg_current_xact_id();
ALTER TABLE royalties_statement ADD COLUMN xact xid8 NOT NULL DEFAULT pg_current_xact_id();
ALTER TABLE royalties_splitversion ADD COLUMN xact xid8 NOT NULL DEFAULT pg_current_xact_id();

CREATE OR REPLACE FUNCTION written_in_one_go() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_late boolean;
BEGIN
    EXECUTE format(
        'SELECT EXISTS (SELECT 1 FROM added n JOIN %I p ON p.id = n.%I'
        ' WHERE p.xact <> pg_current_xact_id())', TG_ARGV[0], TG_ARGV[1]) INTO v_late;
    IF v_late THEN
        RAISE EXCEPTION '% is complete: nothing is added to it later', TG_ARGV[0]
            USING ERRCODE = '23514', CONSTRAINT = 'written_in_one_go';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER written_in_one_go AFTER INSERT ON royalties_posting
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION written_in_one_go('royalties_transaction', 'transaction_id');
CREATE OR REPLACE FUNCTION shares_fit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
            SELECT 1 FROM added n
              LEFT JOIN royalties_allocation a
                     ON a.id = n.allocation_id AND a.xact = pg_current_xact_id()
              LEFT JOIN royalties_usageevent u
                     ON u.id = n.event_id AND u.period_id = a.period_id AND u.tool_id = a.tool_id
             WHERE a.id IS NULL OR u.id IS NULL) THEN
        RAISE EXCEPTION 'a share is of a use of its period and tool, written with its allocation'
            USING ERRCODE = '23514', CONSTRAINT = 'a_share_is_of_a_use_of_its_period';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER shares_fit AFTER INSERT ON royalties_allocationshare
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION shares_fit();
CREATE TRIGGER written_in_one_go AFTER INSERT ON royalties_allocationline
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION written_in_one_go('royalties_allocation', 'allocation_id');
CREATE TRIGGER written_in_one_go AFTER INSERT ON royalties_statementline
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION written_in_one_go('royalties_statement', 'statement_id');
CREATE TRIGGER written_in_one_go AFTER INSERT ON royalties_splitshare
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION written_in_one_go('royalties_splitversion', 'split_id');

-- Postings sum to zero, in the one currency of their transaction.
CREATE OR REPLACE FUNCTION postings_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v record;
BEGIN
    SELECT coalesce(sum(p.amount_micros), 0) AS total, count(*) AS postings,
           count(*) FILTER (WHERE a.currency <> NEW.currency) AS foreign_postings
      INTO v
      FROM royalties_posting p JOIN royalties_account a ON a.id = p.account_id
     WHERE p.transaction_id = NEW.id;
    IF v.postings < 2 THEN
        RAISE EXCEPTION 'transaction % has % postings', NEW.id, v.postings
            USING ERRCODE = '23514', CONSTRAINT = 'a_transaction_has_two_sides';
    END IF;
    IF v.foreign_postings <> 0 THEN
        RAISE EXCEPTION 'transaction % posts to an account of another currency', NEW.id
            USING ERRCODE = '23514', CONSTRAINT = 'postings_keep_to_one_currency';
    END IF;
    IF v.total <> 0 THEN
        RAISE EXCEPTION 'the postings of transaction % sum to %, not to zero', NEW.id, v.total
            USING ERRCODE = '23514', CONSTRAINT = 'postings_balance';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER postings_balance AFTER INSERT ON royalties_transaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION postings_balance();

-- An account stays what it is: its postings are about that party, kind and currency.
CREATE OR REPLACE FUNCTION account_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an account stays what it is'
        USING ERRCODE = '23514', CONSTRAINT = 'an_account_stays_what_it_is';
END $$;

CREATE TRIGGER account_stays BEFORE UPDATE ON royalties_account FOR EACH ROW
    WHEN (NEW.* IS DISTINCT FROM OLD.*) EXECUTE FUNCTION account_stays();

-- Shares per use and lines per party both sum to each allocation of a month. One that releases
-- another has no uses of its own; one without a rate owes nothing and has no lines. All are checked
-- together when the month becomes `allocated`, before which nothing of it can be posted.
CREATE OR REPLACE FUNCTION allocations_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v record;
BEGIN
    SELECT a.id INTO v
      FROM royalties_allocation a
      CROSS JOIN LATERAL (
            SELECT sum(s.owed_micros) AS owed, sum(s.pool_micros) AS pool, count(*) AS uses
              FROM royalties_allocationshare s WHERE s.allocation_id = a.id) s
      CROSS JOIN LATERAL (
            SELECT sum(l.amount_micros) AS amount
              FROM royalties_allocationline l WHERE l.allocation_id = a.id) l
      LEFT JOIN royalties_allocation r ON r.id = a.releases_id
     WHERE a.period_id = NEW.id AND (
           coalesce(l.amount, 0) <> a.owed_micros
        OR a.releases_id IS NULL AND (
               coalesce(s.owed, 0) <> a.owed_micros OR coalesce(s.pool, 0) <> a.pool_micros
               OR s.uses <> a.events)
        OR a.releases_id IS NOT NULL AND (
               s.uses <> 0 OR r.held = '' OR r.currency <> a.currency
               OR r.owed_micros <> a.owed_micros))
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'allocation % does not add up', v.id
            USING ERRCODE = '23514', CONSTRAINT = 'allocations_add_up';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER allocations_add_up AFTER UPDATE ON royalties_period FOR EACH ROW
    WHEN (NEW.state = 'allocated' AND OLD.state <> 'allocated')
    EXECUTE FUNCTION allocations_add_up();

-- A split's shares sum to the whole, and it comes into force only with everyone's yes.
CREATE OR REPLACE FUNCTION split_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_sum bigint;
    v_status text;
BEGIN
    SELECT coalesce(sum(s.share_bp), 0) INTO v_sum
      FROM royalties_splitshare s WHERE s.split_id = NEW.id;
    IF v_sum <> 10000 THEN
        RAISE EXCEPTION 'the shares of split % sum to % basis points', NEW.id, v_sum
            USING ERRCODE = '23514', CONSTRAINT = 'a_split_is_whole';
    END IF;
    SELECT status INTO v_status FROM royalties_splitversion WHERE id = NEW.id;
    IF v_status IN ('in_force', 'superseded') AND EXISTS (
            SELECT 1 FROM royalties_splitshare s
              LEFT JOIN royalties_splitanswer a ON a.share_id = s.id AND a.accepted
             WHERE s.split_id = NEW.id AND a.share_id IS NULL) THEN
        RAISE EXCEPTION 'split % is not accepted by everyone in it', NEW.id
            USING ERRCODE = '23514', CONSTRAINT = 'a_split_needs_everyones_yes';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER split_is_whole AFTER INSERT OR UPDATE ON royalties_splitversion
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION split_is_whole();

-- Of a split only its standing changes: an ended one stays ended, and the past is not rewritten.
CREATE OR REPLACE FUNCTION split_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.recording_id, NEW."right", NEW.number, NEW.effective_on, NEW.proposed_at, NEW.ref)
            IS DISTINCT FROM
       (OLD.recording_id, OLD."right", OLD.number, OLD.effective_on, OLD.proposed_at, OLD.ref)
       OR OLD.in_force_at IS NOT NULL AND NEW.in_force_at IS DISTINCT FROM OLD.in_force_at
       OR OLD.answered_at IS NOT NULL AND NEW.answered_at IS DISTINCT FROM OLD.answered_at
       OR OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at
       OR OLD.status IN ('superseded', 'declined') AND NEW.status <> OLD.status THEN
        RAISE EXCEPTION 'a split is not edited: propose another'
            USING ERRCODE = '23514', CONSTRAINT = 'a_split_is_not_edited';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER split_stays BEFORE UPDATE ON royalties_splitversion
    FOR EACH ROW EXECUTE FUNCTION split_stays();

-- The lines that are not held sum to what was earned, the held ones to what is held; and what all
-- statements of a month say was earned is what was posted to the payees' accounts in it.
CREATE OR REPLACE FUNCTION statements_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v record;
BEGIN
    SELECT s.id INTO v
      FROM royalties_statement s
      CROSS JOIN LATERAL (
            SELECT sum(n.amount_micros) FILTER (WHERE n.standing <> 'held') AS earned,
                   sum(n.amount_micros) FILTER (WHERE n.standing = 'held') AS held
              FROM royalties_statementline n WHERE n.statement_id = s.id) n
     WHERE s.period_id = NEW.id AND (
           coalesce(n.earned, 0) <> s.earned_micros OR coalesce(n.held, 0) <> s.held_micros)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'statement % does not add up', v.id
            USING ERRCODE = '23514', CONSTRAINT = 'statements_add_up';
    END IF;
    SELECT coalesce(p.party_id, s.party_id) AS party, coalesce(p.currency, s.currency) AS currency
      INTO v
      FROM (SELECT a.party_id, a.currency, sum(g.amount_micros) AS posted
              FROM royalties_posting g
              JOIN royalties_transaction t ON t.id = g.transaction_id
              JOIN royalties_account a ON a.id = g.account_id
             WHERE t.period_id = NEW.id AND t.kind IN ('allocation', 'release')
               AND a.kind = 'payable'
             GROUP BY a.party_id, a.currency) p
      FULL JOIN (SELECT party_id, currency, earned_micros FROM royalties_statement
                  WHERE period_id = NEW.id) s
             ON s.party_id = p.party_id AND s.currency = p.currency
     WHERE coalesce(p.posted, 0) <> coalesce(s.earned_micros, 0)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the statement of party % in % is not what was posted', v.party, v.currency
            USING ERRCODE = '23514', CONSTRAINT = 'statements_are_what_was_posted';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER statements_add_up AFTER UPDATE ON royalties_period FOR EACH ROW
    WHEN (NEW.state = 'published' AND OLD.state <> 'published')
    EXECUTE FUNCTION statements_add_up();
