-- offer.prune
-- Forgets slots that have begun, oldest first. Skips rows that somebody is counting on: it waits for nobody,
-- so nobody can wait for it in a circle. Source by source, because that is the order of the index. Outcome:
-- pruned.
-- $1 tenant  $2 before  $3 most rows
WITH due_rows AS MATERIALIZED (
    SELECT d.source, d.starts_at
      FROM (VALUES ('default'), ('direct_book')) s (source)
     CROSS JOIN LATERAL (
            SELECT o.source, o.starts_at FROM slotkeeper.offered_slots o
             WHERE o.tenant_id = $1 AND o.source = s.source AND o.starts_at < least($2, statement_timestamp())
             ORDER BY o.starts_at LIMIT $3 FOR UPDATE SKIP LOCKED) d
     LIMIT $3
), gone AS (
    DELETE FROM slotkeeper.offered_slots o USING due_rows d
     WHERE o.tenant_id = $1 AND o.source = d.source AND o.starts_at = d.starts_at RETURNING 1
)
SELECT 'pruned' AS outcome, count(*) AS rows FROM gone
