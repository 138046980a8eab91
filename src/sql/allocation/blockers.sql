-- allocation.blockers
-- What stands in a claim's way now, at most 64 rows.
-- $1 tenant  $2 resources[]  $3 blocked windows[]
SELECT a.id AS allocation, w.resource_id AS resource, a.kind, a.during * w.during AS overlap
  FROM unnest((SELECT $2::uuid[]), (SELECT $3::tstzrange[])) AS w (resource_id, during) CROSS JOIN LATERAL (
        SELECT a.id, a.kind, a.during FROM slotkeeper.allocations a
         WHERE a.tenant_id = $1 AND a.resource_id = w.resource_id AND a.during && w.during
           AND a.released_at IS NULL AND NOT a.shadow
           AND (a.expires_at IS NULL OR a.expires_at > statement_timestamp())
         UNION ALL
        SELECT a.id, a.kind, a.during FROM slotkeeper.allocations a
         WHERE a.tenant_id = $1 AND a.resource_id = w.resource_id AND a.during && w.during
           AND a.released_at IS NULL AND a.shadow
           AND (a.expires_at IS NULL OR a.expires_at > statement_timestamp())) a
 ORDER BY w.resource_id, overlap LIMIT 64
