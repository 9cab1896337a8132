-- Who can be heard on a recording and is not billed on it. Immutable, for the index on identities
-- that finds the recordings of one such person: her voice stands in few rows of many.
CREATE OR REPLACE FUNCTION unbilled_voices(
    p_voices bigint[], p_main bigint[], p_featured bigint[]
) RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(v), '{}') FROM unnest(p_voices) v
     WHERE v <> ALL (p_main || p_featured)
$$;
