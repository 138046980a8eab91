-- audit.booking_decisions
-- Bookings with a revision whose decision is missing, of another booking, of another moment, or a refusal.
-- What the history of a booking cites is kept as long as the booking.
SELECT DISTINCT b.tenant_id, b.id
  FROM slotkeeper.bookings b
 CROSS JOIN jsonb_array_elements(CASE jsonb_typeof(b.history) WHEN 'array' THEN b.history ELSE '[]' END) e
  LEFT JOIN slotkeeper.confirmations c ON c.tenant_id = b.tenant_id AND c.id = (e->>'confirmation')::uuid
 WHERE e->>'confirmation' IS NOT NULL
   AND (c.id IS NULL OR c.booking_id IS DISTINCT FROM b.id
        OR (e->>'changed_at')::timestamptz IS DISTINCT FROM c.decided_at
        OR c.outcome NOT IN ('cancelled', 'confirmed', 'moved')
        OR (e->>'status' = 'cancelled') <> (c.outcome = 'cancelled'))
