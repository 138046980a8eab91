-- outbox.list
-- The oldest events first.
-- $1 tenant  $2 most rows
SELECT o.id, o.event, o.subject_id, o.body, o.created_at
  FROM slotkeeper.outbox o WHERE o.tenant_id = $1 ORDER BY o.id LIMIT $2
