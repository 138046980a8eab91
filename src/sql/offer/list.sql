-- offer.list
-- In time order, at most $5.
-- $1 tenant  $2 source  $3 from  $4 before  $5 most rows
SELECT o.starts_at, o.offered, o.first_offered_at, o.last_offered_at
  FROM slotkeeper.offered_slots o
 WHERE o.tenant_id = $1 AND o.source = $2 AND o.starts_at >= $3 AND o.starts_at < $4
 ORDER BY o.starts_at LIMIT $5
