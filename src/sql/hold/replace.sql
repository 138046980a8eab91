-- hold.replace
-- Swaps the actor's own hold for another in one step; the old one stays if the new one cannot be had. May
-- raise claimed_rows_check or holds_actor_seq_key: repeat.
-- Outcomes: placed, replayed, key_reused, not_found, no_hold, unknown_hold, hold_released, hold_consumed,
-- conflict, too_many.
-- $1 tenant  $2 new hold  $3 resources[]  $4 blocked windows[]  $5 allocations[]  $6 visible window
-- $7 buffer before, s  $8 buffer after, s  $9 ttl, µs  $10 longest life, µs  $11 actor  $12 reference
-- $13 old hold
-- $14 most active, or null: the limit on holds of this actor
WITH prior AS MATERIALIZED (
    SELECT 1 FROM slotkeeper.holds h WHERE h.tenant_id = $1 AND h.id = $2
), taken AS MATERIALIZED (
    -- The id is a blackout's or a booking's already, or was one's that retention has moved or forgotten.
    SELECT 1
      FROM (SELECT 1 FROM slotkeeper.allocations c WHERE c.tenant_id = $1 AND c.claim_id = $2
             UNION ALL
            SELECT 1 FROM slotkeeper.bookings c WHERE c.tenant_id = $1 AND c.claim_id = $2
             UNION ALL
            SELECT 1 FROM slotkeeper.allocations_archive c WHERE c.tenant_id = $1 AND c.claim_id = $2) c
     WHERE NOT EXISTS (SELECT FROM prior) LIMIT 1
), old_hold AS MATERIALIZED (
    SELECT h.id, h.status, h.actor_seq, h.expires_at FROM slotkeeper.holds h
     WHERE h.tenant_id = $1 AND h.id = $13 AND h.actor IS NOT DISTINCT FROM $11
       AND NOT EXISTS (SELECT FROM prior) AND NOT EXISTS (SELECT FROM taken)
       FOR UPDATE
), wanted AS MATERIALIZED (
    -- The sub-selects hide the arrays' lengths, so that the generic plan costs as a custom one and is kept.
    SELECT u.resource_id, u.during, u.id
      FROM unnest((SELECT $3::uuid[]), (SELECT $4::tstzrange[]), (SELECT $5::uuid[]))
           AS u (resource_id, during, id)
     CROSS JOIN LATERAL (
            SELECT FROM slotkeeper.resources r
             WHERE r.tenant_id = $1 AND r.id = u.resource_id AND r.active LIMIT 1) r
     WHERE (SELECT o.status FROM old_hold o) = 'active'
), locked AS MATERIALIZED (
    -- The old hold's resources and the new one's, in id order.
    SELECT r.id
      FROM (SELECT w.resource_id AS id FROM wanted w
             UNION SELECT a.resource_id FROM slotkeeper.allocations a
             WHERE a.tenant_id = $1 AND a.claim_id = $13 AND a.released_at IS NULL
               AND EXISTS (SELECT FROM wanted)
             ORDER BY 1) w
     CROSS JOIN LATERAL (
            SELECT r.id FROM slotkeeper.resources r
             WHERE r.tenant_id = $1 AND r.id = w.id FOR NO KEY UPDATE) r
), seen AS MATERIALIZED (
    SELECT a.id, a.kind, w.resource_id, a.during * w.during AS overlap,
           coalesce(a.expires_at <= statement_timestamp() OR a.claim_id = $13, false) AS stale
      FROM wanted w CROSS JOIN LATERAL (
            SELECT a.id, a.kind, a.during, a.expires_at, a.claim_id FROM slotkeeper.allocations a
             WHERE a.tenant_id = $1 AND a.resource_id = w.resource_id AND a.during && w.during
               AND a.released_at IS NULL AND NOT a.shadow
             UNION ALL
            SELECT a.id, a.kind, a.during, a.expires_at, a.claim_id FROM slotkeeper.allocations a
             WHERE a.tenant_id = $1 AND a.resource_id = w.resource_id AND a.during && w.during
               AND a.released_at IS NULL AND a.shadow) a
), actor_holds AS MATERIALIZED (
    -- A live old hold makes room for the new one; an expired one counts for nothing, so then the count would
    -- grow.
    SELECT count(*) AS active FROM slotkeeper.holds h
     WHERE (SELECT $14::bigint) IS NOT NULL AND (SELECT o.expires_at FROM old_hold o) <= statement_timestamp()
       AND h.tenant_id = $1 AND h.actor = $11 AND h.actor_seq IS NOT NULL AND h.status = 'active'
       AND h.expires_at > statement_timestamp()
), inspected AS MATERIALIZED (
    SELECT CASE WHEN EXISTS (SELECT FROM prior) THEN 'replayed'
                WHEN EXISTS (SELECT FROM taken) THEN 'key_reused'
                WHEN NOT EXISTS (SELECT FROM old_hold) THEN 'no_hold'
                WHEN (SELECT o.status FROM old_hold o) = 'consumed' THEN 'hold_consumed'
                WHEN (SELECT o.status FROM old_hold o) NOT IN ('active', 'released', 'replaced')
                     THEN 'unknown_hold'
                WHEN (SELECT o.status FROM old_hold o) <> 'active' THEN 'hold_released'
                WHEN (SELECT count(*) FROM wanted) <> cardinality($3::uuid[]) THEN 'not_found'
                WHEN EXISTS (SELECT FROM seen s WHERE NOT s.stale) THEN 'conflict'
                WHEN (SELECT o.expires_at FROM old_hold o) <= statement_timestamp()
                 AND (SELECT o.active FROM actor_holds o) >= $14 THEN 'too_many' ELSE 'free' END AS outcome
), stale AS MATERIALIZED (
    SELECT a.id FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1
       -- By id: an OR over two ways to a row would read all rows of the tenant.
       AND a.id IN (SELECT s.id FROM seen s WHERE s.stale
                     UNION ALL SELECT o.id FROM slotkeeper.allocations o
                     WHERE o.tenant_id = $1 AND o.claim_id = $13 AND o.released_at IS NULL)
       AND a.released_at IS NULL AND a.kind = 'held'
       AND (a.expires_at <= statement_timestamp() OR a.claim_id = $13)
       AND (SELECT outcome FROM inspected) = 'free' AND (SELECT count(*) FROM locked) >= 0
     ORDER BY a.resource_id, a.during FOR UPDATE
), freed AS (
    UPDATE slotkeeper.allocations a SET released_at = statement_timestamp()
      FROM stale s WHERE a.tenant_id = $1 AND a.id = s.id RETURNING 1
), claimed AS (
    -- Reads from `freed`: without that the order of the two is undefined and the place is lost.
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, expires_at)
    SELECT $1, w.id, w.resource_id, w.during, 'held', $2,
           statement_timestamp() + $9::bigint * interval '1 microsecond'
      FROM wanted w CROSS JOIN (SELECT count(*) FROM freed) f CROSS JOIN (SELECT count(*) FROM locked) l
     WHERE (SELECT outcome FROM inspected) = 'free'
     ORDER BY w.resource_id, w.during
    ON CONFLICT ON CONSTRAINT allocations_resource_during_excl DO NOTHING RETURNING 1
), counted AS MATERIALIZED (
    SELECT count(*)::integer AS n FROM claimed
), old_hold_written AS (
    -- The number the old hold counted under stays with it: the new one takes the next.
    UPDATE slotkeeper.holds h SET status = 'replaced'
      FROM old_hold o
     WHERE h.tenant_id = $1 AND h.id = o.id AND (SELECT outcome FROM inspected) = 'free' RETURNING 1
), hold_written AS (
    INSERT INTO slotkeeper.holds (tenant_id, id, status, during, buffer_before_seconds, buffer_after_seconds,
           rows, expires_at, latest_expires_at, actor, actor_seq, reference)
    SELECT $1, $2, 'active', $6, $7, $8, CASE WHEN c.n = cardinality($3::uuid[]) THEN c.n ELSE -1 END,
           statement_timestamp() + $9::bigint * interval '1 microsecond',
           statement_timestamp() + $10::bigint * interval '1 microsecond', $11,
           CASE WHEN (SELECT o.actor_seq FROM old_hold o) IS NOT NULL
                  OR ($14 IS NOT NULL AND $11 IS NOT NULL) THEN (
               SELECT coalesce(max(h.actor_seq), 0) + 1 FROM slotkeeper.holds h
                WHERE h.tenant_id = $1 AND h.actor = $11 AND h.actor_seq IS NOT NULL) END, $12
      FROM counted c WHERE (SELECT outcome FROM inspected) = 'free' RETURNING placed_at, expires_at
)
SELECT CASE WHEN i.outcome <> 'free' THEN i.outcome ELSE 'placed' END AS outcome, h.placed_at, h.expires_at,
       CASE WHEN i.outcome = 'not_found' THEN ARRAY(
           SELECT u.id FROM unnest($3::uuid[]) u (id)
            WHERE u.id NOT IN (SELECT w.resource_id FROM wanted w)) END AS missing,
       CASE WHEN i.outcome = 'conflict' THEN (
           SELECT jsonb_agg(jsonb_build_object('allocation', s.id, 'resource', s.resource_id, 'kind', s.kind,
                      'overlap', jsonb_build_object('start', lower(s.overlap), 'end', upper(s.overlap))))
             FROM (SELECT * FROM seen WHERE NOT stale ORDER BY resource_id, overlap LIMIT 64) s) END
           AS blockers
  FROM inspected i LEFT JOIN hold_written h ON true
