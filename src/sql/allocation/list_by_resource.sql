-- allocation.list_by_resource
-- What occupies a resource within a window: live rows, in time order, at most $4. Expired holds do not
-- occupy. Two branches, because each index knows either shadow rows or the others.
-- $1 tenant  $2 resource  $3 window  $4 most rows
SELECT a.id, a.resource_id, a.during, a.kind, a.claim_id, a.expires_at, a.created_at
  FROM (SELECT a.id, a.resource_id, a.during, a.kind, a.claim_id, a.expires_at, a.created_at
          FROM slotkeeper.allocations a
         WHERE a.tenant_id = $1 AND a.resource_id = $2 AND a.during && (SELECT $3::tstzrange)
           AND a.released_at IS NULL AND NOT a.shadow
         UNION ALL
        SELECT a.id, a.resource_id, a.during, a.kind, a.claim_id, a.expires_at, a.created_at
          FROM slotkeeper.allocations a
         WHERE a.tenant_id = $1 AND a.resource_id = $2 AND a.during && (SELECT $3::tstzrange)
           AND a.released_at IS NULL AND a.shadow) a
 WHERE a.expires_at IS NULL OR a.expires_at > statement_timestamp()
 ORDER BY a.during, a.id LIMIT $4
