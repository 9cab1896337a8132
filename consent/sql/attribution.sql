-- The parts of an output sum to 10 000 per right; checked when the transaction commits.
CREATE OR REPLACE FUNCTION attributions_are_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_right text;
    v_sum bigint;
BEGIN
    SELECT a.right, sum(a.influence_bp) INTO v_right, v_sum
      FROM consent_attribution a WHERE a.output_id = NEW.output_id
     GROUP BY a.right HAVING sum(a.influence_bp) <> 10000 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the % attributions of an output sum to 10000 basis points, not %',
            v_right, v_sum
            USING ERRCODE = '23514', CONSTRAINT = 'attributions_are_whole';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER attributions_are_whole
    AFTER INSERT OR UPDATE ON consent_attribution
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION attributions_are_whole();
