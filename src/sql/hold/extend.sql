-- hold.extend
-- Moves the expiry to an absolute instant, never to an earlier one, so that a repeat in any order is harmless. Cannot raise.
-- Outcomes: extended, unknown_hold (a status that only a newer version knows), no_hold, hold_consumed, hold_released, hold_expired, too_long.
-- $1 tenant  $2 hold  $3 actor  $4 new expiry
WITH h AS MATERIALIZED (
    SELECT h.id, h.status, h.requested, h.expires_at, h.latest_expires_at FROM slotkeeper.holds h
     WHERE h.tenant_id = $1 AND h.id = $2 AND h.actor IS NOT DISTINCT FROM $3 FOR UPDATE
), a AS MATERIALIZED (
    SELECT a.id FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.claim_id = $2 AND a.released_at IS NULL AND a.kind = 'held'
       AND (SELECT count(*) FROM h) = 1
     ORDER BY a.resource_id, a.during FOR UPDATE
), v AS MATERIALIZED (
    SELECT CASE WHEN h.id IS NULL THEN 'no_hold' WHEN h.status = 'consumed' THEN 'hold_consumed'
                WHEN h.status NOT IN ('active', 'released', 'replaced') THEN 'unknown_hold'
                WHEN h.status <> 'active' THEN 'hold_released'
                WHEN h.expires_at <= statement_timestamp() OR c.n <> h.requested THEN 'hold_expired'
                WHEN $4 > h.latest_expires_at THEN 'too_long' ELSE 'extended' END AS outcome
      FROM (SELECT count(*) AS n FROM a) c LEFT JOIN h ON true
), ua AS (
    UPDATE slotkeeper.allocations x SET expires_at = greatest(x.expires_at, $4)
      FROM a CROSS JOIN v WHERE x.tenant_id = $1 AND x.claim_id = $2 AND x.id = a.id AND v.outcome = 'extended' RETURNING 1
), uh AS (
    UPDATE slotkeeper.holds x SET expires_at = greatest(x.expires_at, $4)
      FROM v WHERE x.tenant_id = $1 AND x.id = $2 AND v.outcome = 'extended' RETURNING x.expires_at
)
SELECT v.outcome, coalesce(u.expires_at, h.expires_at) AS expires_at, h.latest_expires_at
  FROM v LEFT JOIN h ON true LEFT JOIN uh u ON true
