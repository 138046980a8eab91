-- audit.allocation_held
-- Live held rows without an active hold, and those that expire at another time than their hold does.
SELECT a.tenant_id, a.id
  FROM slotkeeper.allocations a
  LEFT JOIN slotkeeper.holds h ON h.tenant_id = a.tenant_id AND h.id = a.claim_id AND h.status = 'active'
 WHERE a.released_at IS NULL AND a.kind = 'held' AND h.expires_at IS DISTINCT FROM a.expires_at
