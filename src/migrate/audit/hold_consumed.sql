-- audit.hold_consumed
-- Consumed holds without a booking (a booking outlives its hold), and holds that were not consumed although a
-- booking has their claim.
SELECT h.tenant_id, h.id
  FROM slotkeeper.holds h
  LEFT JOIN slotkeeper.bookings b ON b.tenant_id = h.tenant_id AND b.claim_id = h.id
 WHERE (h.status = 'consumed') <> (b.id IS NOT NULL)
