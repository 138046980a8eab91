-- hold.find
-- With the places it was placed with: the rows written in the same statement, whatever became of them.
-- $1 tenant  $2 hold
SELECT h.id, h.status, h.expires_at <= statement_timestamp() AS expired, h.during, h.buffer_before_seconds,
       h.buffer_after_seconds, h.placed_at, h.expires_at, h.latest_expires_at, h.actor, h.reference,
       ARRAY(SELECT a.resource_id FROM slotkeeper.allocations a WHERE a.tenant_id = $1 AND a.claim_id = h.id
                AND a.created_at = h.placed_at
              ORDER BY a.resource_id, a.during, a.id) AS resources,
       ARRAY(SELECT a.during::tstzrange FROM slotkeeper.allocations a
              WHERE a.tenant_id = $1 AND a.claim_id = h.id AND a.created_at = h.placed_at
              ORDER BY a.resource_id, a.during, a.id) AS blocked
  FROM slotkeeper.holds h WHERE h.tenant_id = $1 AND h.id = $2
