-- availability_cache.fail
-- Counts a failed computation. Touches neither the body nor what its freshness is judged by. Outcome:
-- counted.
-- $1 tenant  $2 source  $3 code
WITH counted AS (
    INSERT INTO slotkeeper.availability_cache AS c (tenant_id, source, failed_at, error_count, last_error)
    VALUES ($1, $2, statement_timestamp(), 1, $3)
    ON CONFLICT ON CONSTRAINT availability_cache_pkey DO UPDATE
       -- The count stops where its type ends.
       SET failed_at = greatest(c.failed_at, EXCLUDED.failed_at), error_count = least(c.error_count, 2147483646) + 1,
           last_error = EXCLUDED.last_error
    RETURNING c.error_count
)
SELECT 'counted' AS outcome, c.error_count FROM counted c
