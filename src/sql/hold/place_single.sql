-- hold.place_single
-- One resource, no limit per actor: looks, takes over expired rows, claims, writes the hold. Cannot raise on
-- a refusal. Scalars, because one generic plan then serves every call.
-- Outcomes: placed, replayed, key_reused (the id is another thing's), not_found, conflict, repeat;
-- use_many: more than one expired row is in the way, which hold.place takes over in a safe order.
-- $1 tenant  $2 hold  $3 resource  $4 blocked window  $5 allocation  $6 visible window
-- $7 buffer before, s  $8 buffer after, s  $9 ttl, µs  $10 longest life, µs  $11 actor  $12 reference
WITH seen AS MATERIALIZED (
    SELECT a.id, a.kind, a.during * $4 AS overlap,
           coalesce(a.expires_at <= statement_timestamp(), false) AS stale
      FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.resource_id = $3 AND a.during && $4
       AND a.released_at IS NULL AND NOT a.shadow
     UNION ALL
    SELECT a.id, a.kind, a.during * $4, coalesce(a.expires_at <= statement_timestamp(), false)
      FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.resource_id = $3 AND a.during && $4
       AND a.released_at IS NULL AND a.shadow
), taken AS MATERIALIZED (
    -- The id is a blackout's or a booking's already, or was one's that retention has moved or forgotten.
    -- The last two probes cost 0.01 ms of 0.45; written out twice below instead of here, 0.02.
    SELECT 1 FROM slotkeeper.allocations c WHERE c.tenant_id = $1 AND c.claim_id = $2
     UNION ALL
    SELECT 1 FROM slotkeeper.bookings c WHERE c.tenant_id = $1 AND c.claim_id = $2
     UNION ALL
    SELECT 1 FROM slotkeeper.allocations_archive c WHERE c.tenant_id = $1 AND c.claim_id = $2 LIMIT 1
), inspected AS MATERIALIZED (
    -- No row: a repeat, a taken id, or no such resource. One expired row may be taken over here: with more,
    -- two claims could lock them in different orders.
    SELECT s.live, s.stale, s.one, r.id
      FROM (SELECT count(*) FILTER (WHERE NOT stale) AS live, count(*) FILTER (WHERE stale) AS stale,
                   (array_agg(id))[1] AS one FROM seen) s
     CROSS JOIN slotkeeper.resources r
     WHERE r.tenant_id = $1 AND r.id = $3 AND r.active
       AND NOT EXISTS (SELECT FROM slotkeeper.holds h WHERE h.tenant_id = $1 AND h.id = $2)
       AND NOT EXISTS (SELECT FROM taken)
), freed AS (
    UPDATE slotkeeper.allocations a SET released_at = statement_timestamp() FROM inspected i
     WHERE i.live = 0 AND i.stale = 1 AND a.tenant_id = $1 AND a.id = i.one AND a.released_at IS NULL
       AND a.expires_at <= statement_timestamp()
       -- Whoever takes a row over has its resource first, or a claim of several windows of it can wait for us
       -- and we for it.
       AND EXISTS (
           SELECT FROM slotkeeper.resources r WHERE r.tenant_id = $1 AND r.id = i.id FOR NO KEY UPDATE)
    RETURNING 1
), claimed AS (
    -- Reads from `freed`: without that the order of the two is undefined and the place is lost.
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, expires_at)
    SELECT $1, $5, i.id, $4, 'held', $2, statement_timestamp() + $9::bigint * interval '1 microsecond'
      FROM inspected i CROSS JOIN (SELECT count(*) FROM freed) f WHERE i.live = 0 AND i.stale <= 1
    ON CONFLICT ON CONSTRAINT allocations_resource_during_excl DO NOTHING RETURNING expires_at
), hold_written AS (
    INSERT INTO slotkeeper.holds (tenant_id, id, status, during, buffer_before_seconds, buffer_after_seconds,
           requested, claimed, expires_at, latest_expires_at, actor, reference)
    SELECT $1, $2, 'active', $6, $7, $8, 1, 1, c.expires_at,
           statement_timestamp() + $10::bigint * interval '1 microsecond', $11, $12
      FROM claimed c RETURNING placed_at, expires_at
)
SELECT CASE WHEN h.placed_at IS NOT NULL THEN 'placed' WHEN i.live > 0 THEN 'conflict'
            WHEN i.stale > 1 THEN 'use_many' WHEN i.live = 0 THEN 'repeat'
            WHEN EXISTS (SELECT FROM slotkeeper.holds h WHERE h.tenant_id = $1 AND h.id = $2) THEN 'replayed'
            WHEN EXISTS (SELECT FROM taken) THEN 'key_reused' ELSE 'not_found' END AS outcome,
       h.placed_at, h.expires_at, ARRAY[$3::uuid] AS missing,
       CASE WHEN i.live > 0 THEN (
           SELECT jsonb_agg(jsonb_build_object('allocation', b.id, 'resource', $3::uuid, 'kind', b.kind,
                      'overlap', jsonb_build_object('start', lower(b.overlap), 'end', upper(b.overlap))))
             FROM (SELECT * FROM seen s WHERE NOT s.stale ORDER BY s.overlap LIMIT 64) b) END AS blockers
  FROM (SELECT) one LEFT JOIN inspected i ON true LEFT JOIN hold_written h ON true
