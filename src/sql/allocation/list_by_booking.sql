-- allocation.list_by_booking
-- The places a booking holds now; none once it is cancelled.
-- $1 tenant  $2 booking
SELECT a.id, a.resource_id, a.during, a.kind, a.claim_id, a.expires_at, a.created_at
  FROM slotkeeper.bookings b JOIN slotkeeper.allocations a ON a.tenant_id = $1 AND a.claim_id = b.claim_id
 WHERE b.tenant_id = $1 AND b.id = $2 AND a.kind = 'booked' AND a.released_at IS NULL
 ORDER BY a.resource_id, a.during
