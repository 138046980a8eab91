-- hold.place
-- Several resources all or nothing, or a limit on the actor's active holds. May raise claimed_rows_check
-- (part of the claim lost a race) or holds_actor_seq_key (the actor's other hold came first): both mean
-- repeat.
-- Outcomes: placed, replayed, key_reused, not_found, conflict, too_many, repeat.
-- $1 tenant  $2 hold  $3 resources[]  $4 blocked windows[]  $5 allocations[]  $6 visible window
-- $7 buffer before, s  $8 buffer after, s  $9 ttl, µs  $10 longest life, µs  $11 actor  $12 reference
-- $13 most active, or null: the limit on holds of this actor
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
), wanted AS MATERIALIZED (
    -- The sub-selects hide the arrays' lengths, so that the generic plan costs as a custom one and is kept.
    SELECT u.resource_id, u.during, u.id
      FROM unnest((SELECT $3::uuid[]), (SELECT $4::tstzrange[]), (SELECT $5::uuid[]))
           AS u (resource_id, during, id)
     CROSS JOIN LATERAL (
            SELECT FROM slotkeeper.resources r
             WHERE r.tenant_id = $1 AND r.id = u.resource_id AND r.active LIMIT 1) r
     WHERE NOT EXISTS (SELECT FROM prior) AND NOT EXISTS (SELECT FROM taken)
), seen AS MATERIALIZED (
    SELECT a.id, a.kind, w.resource_id, a.during * w.during AS overlap,
           coalesce(a.expires_at <= statement_timestamp(), false) AS stale
      FROM wanted w CROSS JOIN LATERAL (
            SELECT a.id, a.kind, a.during, a.expires_at FROM slotkeeper.allocations a
             WHERE a.tenant_id = $1 AND a.resource_id = w.resource_id AND a.during && w.during
               AND a.released_at IS NULL AND NOT a.shadow
             UNION ALL
            SELECT a.id, a.kind, a.during, a.expires_at FROM slotkeeper.allocations a
             WHERE a.tenant_id = $1 AND a.resource_id = w.resource_id AND a.during && w.during
               AND a.released_at IS NULL AND a.shadow) a
), locked AS MATERIALIZED (
    -- Several resources: their rows in id order, or two claims that take over expired rows can deadlock. One:
    -- only to take over, because the lock would hold up every other date of the resource in a caller's long
    -- transaction.
    SELECT r.id
      FROM (SELECT DISTINCT w.resource_id AS id FROM wanted w
             WHERE (SELECT cardinality($3::uuid[])) > 1 OR EXISTS (SELECT FROM seen s WHERE s.stale)
             ORDER BY 1) w
     CROSS JOIN LATERAL (
            SELECT r.id FROM slotkeeper.resources r
             WHERE r.tenant_id = $1 AND r.id = w.id FOR NO KEY UPDATE) r
), actor_holds AS MATERIALIZED (
    SELECT coalesce(max(h.actor_seq), 0) + 1 AS seq,
           count(*) FILTER (WHERE h.status = 'active' AND h.expires_at > statement_timestamp()) AS active
      FROM slotkeeper.holds h
     WHERE (SELECT $13::bigint) IS NOT NULL AND h.tenant_id = $1 AND h.actor = $11 AND h.actor_seq IS NOT NULL
), inspected AS MATERIALIZED (
    SELECT CASE WHEN EXISTS (SELECT FROM prior) THEN 'replayed'
                WHEN EXISTS (SELECT FROM taken) THEN 'key_reused'
                WHEN (SELECT count(*) FROM wanted) <> cardinality($3::uuid[]) THEN 'not_found'
                WHEN EXISTS (SELECT FROM seen s WHERE NOT s.stale) THEN 'conflict'
                WHEN (SELECT o.active FROM actor_holds o) >= $13 THEN 'too_many' ELSE 'free' END AS outcome
), stale AS MATERIALIZED (
    SELECT a.id FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.id IN (SELECT s.id FROM seen s WHERE s.stale) AND a.released_at IS NULL
       AND a.expires_at <= statement_timestamp() AND (SELECT outcome FROM inspected) = 'free'
       AND (SELECT count(*) FROM locked) >= 0
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
), hold_written AS (
    INSERT INTO slotkeeper.holds (tenant_id, id, status, during, buffer_before_seconds, buffer_after_seconds,
           rows, expires_at, latest_expires_at, actor, actor_seq, reference)
    SELECT $1, $2, 'active', $6, $7, $8, CASE WHEN c.n = cardinality($3::uuid[]) THEN c.n ELSE -1 END,
           statement_timestamp() + $9::bigint * interval '1 microsecond',
           statement_timestamp() + $10::bigint * interval '1 microsecond',
           $11, CASE WHEN $13 IS NOT NULL AND $11 IS NOT NULL THEN o.seq END, $12
      FROM counted c CROSS JOIN actor_holds o WHERE c.n > 0 RETURNING placed_at, expires_at
)
SELECT CASE WHEN i.outcome <> 'free' THEN i.outcome
            WHEN h.placed_at IS NULL THEN 'repeat' ELSE 'placed' END AS outcome,
       h.placed_at, h.expires_at,
       CASE WHEN i.outcome = 'not_found' THEN ARRAY(
           SELECT u.id FROM unnest($3::uuid[]) u (id)
            WHERE u.id NOT IN (SELECT w.resource_id FROM wanted w)) END AS missing,
       CASE WHEN i.outcome = 'conflict' THEN (
           SELECT jsonb_agg(jsonb_build_object('allocation', s.id, 'resource', s.resource_id, 'kind', s.kind,
                      'overlap', jsonb_build_object('start', lower(s.overlap), 'end', upper(s.overlap))))
             FROM (SELECT * FROM seen WHERE NOT stale ORDER BY resource_id, overlap LIMIT 64) s) END
           AS blockers
  FROM inspected i LEFT JOIN hold_written h ON true
