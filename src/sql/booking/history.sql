-- booking.history
-- $1 tenant  $2 booking
SELECT b.history FROM slotkeeper.bookings b WHERE b.tenant_id = $1 AND b.id = $2
