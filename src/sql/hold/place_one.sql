-- hold.place_one
-- One resource, no limit per actor: looks, takes over expired rows, claims, writes the hold. Cannot raise on a refusal.
-- Outcomes: placed, replayed, not_found, conflict, again. Scalars, because one generic plan then serves every call.
-- $1 tenant  $2 hold  $3 resource  $4 blocked window  $5 allocation  $6 visible window
-- $7 buffer before, s  $8 buffer after, s  $9 ttl, µs  $10 longest life, µs  $11 actor  $12 reference
WITH prior AS MATERIALIZED (
    SELECT 1 FROM slotkeeper.holds h WHERE h.tenant_id = $1 AND h.id = $2
), seen AS MATERIALIZED (
    SELECT a.id, a.kind, a.during * $4 AS overlap, coalesce(a.expires_at <= statement_timestamp(), false) AS stale
      FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.resource_id = $3 AND a.during && $4 AND a.released_at IS NULL AND NOT a.shadow
     UNION ALL
    SELECT a.id, a.kind, a.during * $4, coalesce(a.expires_at <= statement_timestamp(), false)
      FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.resource_id = $3 AND a.during && $4 AND a.released_at IS NULL AND a.shadow
), want AS MATERIALIZED (
    SELECT r.id FROM slotkeeper.resources r
     WHERE r.tenant_id = $1 AND r.id = $3 AND r.active AND NOT EXISTS (SELECT FROM prior)
), locked AS MATERIALIZED (
    -- Only what takes over expired rows locks the resource: a claim of several resources that began before one of those
    -- rows was placed would otherwise wait for us while we wait for it. Every other claim of one resource locks nothing,
    -- which in a caller's long transaction would hold up other dates of the resource.
    SELECT r.id FROM slotkeeper.resources r
     WHERE r.tenant_id = $1 AND r.id = $3 AND EXISTS (SELECT FROM want) AND EXISTS (SELECT FROM seen s WHERE s.stale)
       AND NOT EXISTS (SELECT FROM seen s WHERE NOT s.stale) FOR NO KEY UPDATE
), stale AS (
    -- Nothing to claim, nothing to take over: a refusal changes no row.
    SELECT a.id FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.id IN (SELECT s.id FROM seen s WHERE s.stale) AND a.released_at IS NULL
       AND a.expires_at <= statement_timestamp() AND NOT EXISTS (SELECT FROM seen s WHERE NOT s.stale)
       AND EXISTS (SELECT FROM want) AND (SELECT count(*) FROM locked) >= 0
     ORDER BY a.during FOR UPDATE
), freed AS (
    UPDATE slotkeeper.allocations a SET released_at = statement_timestamp()
      FROM stale s WHERE a.tenant_id = $1 AND a.id = s.id RETURNING 1
), claimed AS (
    -- Reads from `freed`: without that the order of the two is undefined and the place is lost.
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, expires_at)
    SELECT $1, $5, w.id, $4, 'held', $2, statement_timestamp() + $9::bigint * interval '1 microsecond'
      FROM want w CROSS JOIN (SELECT count(*) FROM freed) f
     WHERE NOT EXISTS (SELECT FROM seen s WHERE NOT s.stale)
    ON CONFLICT ON CONSTRAINT allocations_resource_during_excl DO NOTHING RETURNING expires_at
), placed AS (
    INSERT INTO slotkeeper.holds (tenant_id, id, status, during, buffer_before_seconds, buffer_after_seconds, requested,
           claimed, expires_at, latest_expires_at, actor, reference)
    SELECT $1, $2, 'active', $6, $7, $8, 1, 1, c.expires_at, statement_timestamp() + $10::bigint * interval '1 microsecond',
           $11, $12
      FROM claimed c RETURNING placed_at, expires_at
), refused AS (
    SELECT CASE WHEN EXISTS (SELECT FROM prior) THEN 'replayed'
                WHEN NOT EXISTS (SELECT FROM want) THEN 'not_found'
                WHEN EXISTS (SELECT FROM seen s WHERE NOT s.stale) THEN 'conflict'
                ELSE 'again' END AS outcome
     WHERE NOT EXISTS (SELECT FROM placed)
)
SELECT coalesce(r.outcome, 'placed') AS outcome, p.placed_at, p.expires_at,
       CASE WHEN r.outcome = 'not_found' THEN ARRAY[$3::uuid] END AS missing,
       CASE WHEN r.outcome = 'conflict' THEN (
           SELECT jsonb_agg(jsonb_build_object('allocation', b.id, 'resource', $3::uuid, 'kind', b.kind, 'overlap',
                      jsonb_build_object('start', lower(b.overlap), 'end', upper(b.overlap))))
             FROM (SELECT * FROM seen s WHERE NOT s.stale ORDER BY s.overlap LIMIT 64) b) END AS blockers
  FROM (SELECT) one LEFT JOIN placed p ON true LEFT JOIN refused r ON true
