-- allocation.free_windows
-- The window less everything that occupies it, in time order.
-- Two branches, because each index knows either shadow rows or the others.
-- $1 tenant  $2 resource  $3 window
SELECT unnest(tstzmultirange($3::tstzrange) - coalesce((
           SELECT range_agg(a.during)
             FROM (SELECT a.during, a.expires_at FROM slotkeeper.allocations a
                    WHERE a.tenant_id = $1 AND a.resource_id = $2 AND a.during && (SELECT $3::tstzrange)
                      AND a.released_at IS NULL AND NOT a.shadow
                    UNION ALL
                   SELECT a.during, a.expires_at FROM slotkeeper.allocations a
                    WHERE a.tenant_id = $1 AND a.resource_id = $2 AND a.during && (SELECT $3::tstzrange)
                      AND a.released_at IS NULL AND a.shadow) a
            WHERE a.expires_at IS NULL OR a.expires_at > statement_timestamp()), '{}'::tstzmultirange))
           AS free
  FROM slotkeeper.resources r WHERE r.tenant_id = $1 AND r.id = $2 AND r.active
