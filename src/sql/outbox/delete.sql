-- outbox.delete
-- $1 tenant  $2 events[]
WITH gone AS (
    DELETE FROM slotkeeper.outbox o WHERE o.tenant_id = $1 AND o.id = ANY ($2) RETURNING 1
)
SELECT 'deleted' AS outcome, count(*) AS deleted FROM gone
