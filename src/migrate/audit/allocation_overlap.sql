-- audit.allocation_overlap
-- Live rows that begin before an earlier one of their resource ends: one ordered pass, in which no index
-- takes part.
SELECT a.tenant_id, a.id
  FROM (SELECT a.tenant_id, a.id, lower(a.during) < max(upper(a.during)) OVER (
                   PARTITION BY a.tenant_id, a.resource_id ORDER BY lower(a.during), a.id
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS inside
          FROM slotkeeper.allocations a
         WHERE a.released_at IS NULL AND NOT a.shadow AND NOT isempty(a.during)) a
 WHERE a.inside
