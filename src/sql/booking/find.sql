-- booking.find
-- $1 tenant  $2 booking
SELECT b.id, b.status, b.revision, b.during, b.buffer_before_seconds, b.buffer_after_seconds, b.claim_id,
       b.confirmation_id, b.reference, b.customer_ref, b.price_minor, b.currency::text AS currency,
       b.time_zone, b.metadata, b.created_at, b.updated_at
  FROM slotkeeper.bookings b WHERE b.tenant_id = $1 AND b.id = $2
