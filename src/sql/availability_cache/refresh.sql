-- availability_cache.refresh
-- Keeps what was computed, unless something begun later is kept already. No computation began in the future:
-- a caller's clock that is ahead must not shut the others out. Outcomes: refreshed, superseded.
-- $1 tenant  $2 source  $3 when the computation began  $4 body
WITH kept AS (
    INSERT INTO slotkeeper.availability_cache AS c (tenant_id, source, body, as_of, refreshed_at, error_count)
    VALUES ($1, $2, $4, least($3, statement_timestamp()), statement_timestamp(), 0)
    ON CONFLICT ON CONSTRAINT availability_cache_pkey DO UPDATE
       SET body = EXCLUDED.body, as_of = EXCLUDED.as_of, refreshed_at = EXCLUDED.refreshed_at, error_count = 0,
           last_error = NULL
     WHERE c.as_of IS NULL OR c.as_of <= EXCLUDED.as_of
    RETURNING 1
)
SELECT CASE WHEN EXISTS (SELECT FROM kept) THEN 'refreshed' ELSE 'superseded' END AS outcome
