-- allocation.unblock
-- Opens a blackout again; only rows of kind blackout. Cannot raise. Outcomes: unblocked (also when it already
-- was), not_found.
-- $1 tenant  $2 blackout  $3 event
WITH blocked_rows AS MATERIALIZED (
    SELECT a.id FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.claim_id = $2 AND a.kind = 'blackout' AND a.released_at IS NULL
     ORDER BY a.resource_id, a.during FOR UPDATE
), freed AS (
    UPDATE slotkeeper.allocations x SET released_at = statement_timestamp()
      FROM blocked_rows a WHERE x.tenant_id = $1 AND x.claim_id = $2 AND x.id = a.id RETURNING 1
), event AS (
    INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body)
    SELECT $1, $3, 'blackout.unblocked', $2, jsonb_build_object('blackout', $2::uuid)
     WHERE EXISTS (SELECT FROM freed) RETURNING 1
)
SELECT CASE WHEN EXISTS (SELECT FROM slotkeeper.allocations a
                          WHERE a.tenant_id = $1 AND a.claim_id = $2 AND a.kind = 'blackout')
            THEN 'unblocked' ELSE 'not_found' END AS outcome
