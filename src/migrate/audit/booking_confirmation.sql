-- audit.booking_confirmation
-- Bookings that were confirmed, and the record of the decision that did it is missing, a refusal, or another
-- booking's. Retention never takes this one.
SELECT b.tenant_id, b.id
  FROM slotkeeper.bookings b
  LEFT JOIN slotkeeper.confirmations c ON c.tenant_id = b.tenant_id AND c.id = b.confirmation_id
       AND c.booking_id = b.id AND c.outcome = 'confirmed' AND c.operation IN ('confirm', 'book')
 WHERE b.confirmation_id IS NOT NULL AND c.id IS NULL
