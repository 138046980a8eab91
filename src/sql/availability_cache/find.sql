-- availability_cache.find
-- Always one row, because the instant of the answer is part of it: a refresh begins there.
-- $1 tenant  $2 source  $3 longest age, µs
SELECT c.body, c.as_of, c.refreshed_at, c.failed_at, coalesce(c.error_count, 0) AS error_count, c.last_error,
       statement_timestamp() AS read_at,
       CASE WHEN c.body IS NULL THEN 'missing'
            WHEN c.as_of > statement_timestamp() - $3::bigint * interval '1 microsecond'
             AND (c.invalidated_at IS NULL OR c.as_of > c.invalidated_at) THEN 'fresh'
            ELSE 'stale' END AS state
  FROM (SELECT) one LEFT JOIN slotkeeper.availability_cache c ON c.tenant_id = $1 AND c.source = $2
