-- allocation.block
-- A blackout: closes resources for a time, all or nothing; bookings and live holds in the way refuse it. May
-- raise claimed_rows_check: repeat. Outcomes: blocked, replayed, other_operation (the id is a hold's or a
-- booking's), key_reused (other places), not_found, conflict, repeat.
-- $1 tenant  $2 blackout  $3 resources[]  $4 windows[]  $5 allocations[]  $6 event
WITH prior AS MATERIALIZED (
    SELECT count(*) AS rows, bool_and(a.kind = 'blackout') AS ours, bool_and(EXISTS (
               SELECT FROM unnest($3::uuid[], $4::tstzrange[]) AS u (resource_id, during)
                WHERE u.resource_id = a.resource_id AND u.during = a.during)) AS same
      FROM (SELECT a.kind, a.resource_id, a.during FROM slotkeeper.allocations a
             WHERE a.tenant_id = $1 AND a.claim_id = $2
             UNION ALL
            SELECT a.kind, a.resource_id, a.during FROM slotkeeper.allocations_archive a
             WHERE a.tenant_id = $1 AND a.claim_id = $2) a
    HAVING count(*) > 0
), taken AS MATERIALIZED (
    SELECT 1 FROM slotkeeper.holds h WHERE h.tenant_id = $1 AND h.id = $2
     UNION ALL
    SELECT 1 FROM slotkeeper.bookings b WHERE b.tenant_id = $1 AND b.claim_id = $2
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
), inspected AS MATERIALIZED (
    SELECT CASE WHEN EXISTS (SELECT FROM taken) OR NOT (SELECT p.ours FROM prior p) THEN 'other_operation'
                WHEN (SELECT p.same AND p.rows = cardinality($3::uuid[]) FROM prior p) THEN 'replayed'
                WHEN EXISTS (SELECT FROM prior) THEN 'key_reused'
                WHEN (SELECT count(*) FROM wanted) <> cardinality($3::uuid[]) THEN 'not_found'
                WHEN EXISTS (SELECT FROM seen s WHERE NOT s.stale) THEN 'conflict' ELSE 'free' END AS outcome
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
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
    SELECT $1, w.id, w.resource_id, w.during, 'blackout', $2
      FROM wanted w CROSS JOIN (SELECT count(*) FROM freed) f CROSS JOIN (SELECT count(*) FROM locked) l
     WHERE (SELECT outcome FROM inspected) = 'free'
     ORDER BY w.resource_id, w.during
    ON CONFLICT ON CONSTRAINT allocations_resource_during_excl DO NOTHING RETURNING 1
), counted AS MATERIALIZED (
    SELECT count(*)::integer AS n FROM claimed
), event AS (
    INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body, rows)
    SELECT $1, $6, 'blackout.blocked', $2, jsonb_build_object('blackout', $2::uuid, 'allocations', (
               SELECT jsonb_agg(jsonb_build_object('id', w.id, 'resource', w.resource_id, 'window',
                          jsonb_build_object('start', lower(w.during), 'end', upper(w.during)))
                          ORDER BY w.resource_id, w.during)
                 FROM wanted w)),
           CASE WHEN c.n = cardinality($3::uuid[]) THEN c.n ELSE -1 END
      FROM counted c WHERE c.n > 0 RETURNING 1
)
SELECT CASE WHEN i.outcome <> 'free' THEN i.outcome
            WHEN NOT EXISTS (SELECT FROM event) THEN 'repeat' ELSE 'blocked' END AS outcome,
       CASE WHEN i.outcome = 'not_found' THEN ARRAY(
           SELECT u.id FROM unnest($3::uuid[]) u (id)
            WHERE u.id NOT IN (SELECT w.resource_id FROM wanted w)) END AS missing,
       CASE WHEN i.outcome = 'conflict' THEN (
           SELECT jsonb_agg(jsonb_build_object('allocation', s.id, 'resource', s.resource_id, 'kind', s.kind,
                      'overlap', jsonb_build_object('start', lower(s.overlap), 'end', upper(s.overlap))))
             FROM (SELECT * FROM seen WHERE NOT stale ORDER BY resource_id, overlap LIMIT 64) s) END
           AS blockers
  FROM inspected i
