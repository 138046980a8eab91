-- audit.blackout_torn
-- Blackouts that are partly open, or share their id with a hold or a booking. A blackout is blocked and
-- unblocked as a whole, and its rows are the only proof of it: the event that told of it is deleted by the
-- relay.
SELECT c.tenant_id, c.claim_id
  FROM (SELECT a.tenant_id, a.claim_id, count(*) AS rows, count(a.released_at) AS released,
               bool_and(a.kind = 'blackout') AS only
          FROM slotkeeper.allocations a
         GROUP BY a.tenant_id, a.claim_id HAVING bool_or(a.kind = 'blackout')) c
  LEFT JOIN slotkeeper.holds h ON h.tenant_id = c.tenant_id AND h.id = c.claim_id
  LEFT JOIN slotkeeper.bookings b ON b.tenant_id = c.tenant_id AND b.claim_id = c.claim_id
 WHERE c.released NOT IN (0, c.rows) OR NOT c.only OR h.id IS NOT NULL OR b.id IS NOT NULL
