-- availability_cache.invalidate
-- From now on whatever was begun before is stale; also what is still being computed, so a row is made where
-- there is none. Outcome: invalidated.
-- $1 tenant  $2 sources[]
WITH done AS (
    INSERT INTO slotkeeper.availability_cache AS c (tenant_id, source, invalidated_at, error_count)
    SELECT DISTINCT $1, u.source, statement_timestamp(), 0 FROM unnest($2::text[]) u (source) ORDER BY u.source
    ON CONFLICT ON CONSTRAINT availability_cache_pkey DO UPDATE
       SET invalidated_at = greatest(c.invalidated_at, EXCLUDED.invalidated_at)
     WHERE c.tenant_id = $1
    RETURNING 1
)
SELECT 'invalidated' AS outcome, count(*) AS rows FROM done
