-- allocation.is_free
-- Live rows of a resource never overlap, so the last unexpired one that starts before my end is the only
-- candidate: one b-tree probe. The expiry filter stays inside it: an expired hold in front must not hide a
-- live row. Shadow rows may overlap and are looked at on their own. Null: no such active resource. The
-- resource is compared as part of a row, and with `>=`, because only the b-tree on (tenant, resource, start)
-- can do that in order: by plain equality the planner, which thinks few rows share a resource, may read all
-- of them through the exclusion's GiST index instead (measured: 0.9 ms against 0.01).
-- $1 tenant  $2 resource  $3 window
SELECT CASE WHEN r.active THEN
       NOT EXISTS (
            SELECT FROM (
                SELECT a.during FROM slotkeeper.allocations a
                 WHERE a.tenant_id = $1 AND a.resource_id >= $2
                   AND (a.resource_id, lower(a.during)) < ($2, upper($3::tstzrange))
                   AND a.released_at IS NULL AND NOT a.shadow
                   AND (a.expires_at IS NULL OR a.expires_at > statement_timestamp())
                 ORDER BY a.resource_id DESC, lower(a.during) DESC LIMIT 1) last
             WHERE last.during && $3)
   AND NOT EXISTS (
            SELECT FROM slotkeeper.allocations a
             WHERE a.tenant_id = $1 AND a.resource_id = $2 AND a.during && $3 AND a.released_at IS NULL AND a.shadow
               AND (a.expires_at IS NULL OR a.expires_at > statement_timestamp()))
       END AS free
  FROM (SELECT) one LEFT JOIN slotkeeper.resources r ON r.tenant_id = $1 AND r.id = $2
