-- confirmation.list_by_booking
-- $1 tenant  $2 booking
SELECT c.id, c.operation, c.key, c.outcome, c.booking_id, c.snapshot, c.decided_at
  FROM slotkeeper.confirmations c WHERE c.tenant_id = $1 AND c.booking_id = $2 ORDER BY c.decided_at, c.id
