-- hold.extend
-- Moves the expiry to an absolute instant, never to an earlier one, so that a repeat in any order is
-- harmless. Cannot raise.
-- Outcomes: extended, unknown_hold (a status that only a newer version knows), no_hold, hold_consumed,
-- hold_released, hold_expired, too_long.
-- $1 tenant  $2 hold  $3 actor  $4 new expiry
WITH hold AS MATERIALIZED (
    SELECT h.id, h.status, h.rows, h.expires_at, h.latest_expires_at FROM slotkeeper.holds h
     WHERE h.tenant_id = $1 AND h.id = $2 AND h.actor IS NOT DISTINCT FROM $3 FOR UPDATE
), held_rows AS MATERIALIZED (
    SELECT a.id FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.claim_id = $2 AND a.released_at IS NULL AND a.kind = 'held'
       AND (SELECT count(*) FROM hold) = 1
     ORDER BY a.resource_id, a.during FOR UPDATE
), verdict AS MATERIALIZED (
    SELECT CASE WHEN h.id IS NULL THEN 'no_hold' WHEN h.status = 'consumed' THEN 'hold_consumed'
                WHEN h.status NOT IN ('active', 'released', 'replaced') THEN 'unknown_hold'
                WHEN h.status <> 'active' THEN 'hold_released'
                WHEN h.expires_at <= statement_timestamp() OR c.n <> h.rows THEN 'hold_expired'
                WHEN $4 > h.latest_expires_at THEN 'too_long' ELSE 'extended' END AS outcome
      FROM (SELECT count(*) AS n FROM held_rows a) c LEFT JOIN hold h ON true
), allocations_written AS (
    UPDATE slotkeeper.allocations x SET expires_at = greatest(x.expires_at, $4)
      FROM held_rows a CROSS JOIN verdict v
     WHERE x.tenant_id = $1 AND x.claim_id = $2 AND x.id = a.id AND v.outcome = 'extended' RETURNING 1
), hold_written AS (
    UPDATE slotkeeper.holds x SET expires_at = greatest(x.expires_at, $4)
      FROM verdict v WHERE x.tenant_id = $1 AND x.id = $2 AND v.outcome = 'extended' RETURNING x.expires_at
)
SELECT v.outcome, coalesce(w.expires_at, h.expires_at) AS expires_at, h.latest_expires_at
  FROM verdict v LEFT JOIN hold h ON true LEFT JOIN hold_written w ON true
