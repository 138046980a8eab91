-- booking.history
-- $1 tenant  $2 booking
SELECT y.revision, y.status, y.during, y.confirmation_id, y.changed_at
  FROM slotkeeper.booking_history y WHERE y.tenant_id = $1 AND y.booking_id = $2 ORDER BY y.revision
