-- confirmation.find_by_key
-- $1 tenant  $2 operation  $3 key
SELECT c.id, c.operation, c.key, c.outcome, c.booking_id, c.snapshot, c.decided_at
  FROM slotkeeper.confirmations c WHERE c.tenant_id = $1 AND c.operation = $2 AND c.key = $3
