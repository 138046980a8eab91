-- hold.release
-- Frees the hold's own live rows; never a booked one, never another's. Cannot raise.
-- Outcomes: released (also when it already was, or had expired), no_hold, hold_consumed,
-- unknown_hold (a status that only a newer version knows).
-- $1 tenant  $2 hold  $3 actor
WITH hold AS MATERIALIZED (
    SELECT h.id, h.status FROM slotkeeper.holds h
     WHERE h.tenant_id = $1 AND h.id = $2 AND h.actor IS NOT DISTINCT FROM $3 FOR UPDATE
), held_rows AS MATERIALIZED (
    SELECT a.id FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.claim_id = $2 AND a.released_at IS NULL AND a.kind = 'held'
       AND (SELECT h.status FROM hold h) = 'active'
     ORDER BY a.resource_id, a.during FOR UPDATE
), freed AS (
    UPDATE slotkeeper.allocations x SET released_at = statement_timestamp()
      FROM held_rows a WHERE x.tenant_id = $1 AND x.claim_id = $2 AND x.id = a.id RETURNING 1
), hold_written AS (
    UPDATE slotkeeper.holds x SET status = 'released'
      FROM hold h WHERE x.tenant_id = $1 AND x.id = h.id AND h.status = 'active' RETURNING 1
)
SELECT CASE WHEN h.id IS NULL THEN 'no_hold' WHEN h.status = 'consumed' THEN 'hold_consumed'
            WHEN h.status NOT IN ('active', 'released', 'replaced') THEN 'unknown_hold' ELSE 'released' END
           AS outcome
  FROM (SELECT) one LEFT JOIN hold h ON true
