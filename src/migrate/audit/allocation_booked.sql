-- audit.allocation_booked
-- Live booked rows without a confirmed booking: what a cancelled booking left behind, or a booking that is
-- gone.
SELECT a.tenant_id, a.id
  FROM slotkeeper.allocations a
  LEFT JOIN slotkeeper.bookings b
    ON b.tenant_id = a.tenant_id AND b.claim_id = a.claim_id AND b.status = 'confirmed'
 WHERE a.released_at IS NULL AND a.kind = 'booked' AND b.id IS NULL
