-- booking.move
-- Gives up the booking's place and claims the new one in one step; the old one stays if the new one is taken.
-- Its own rows are never in the way. May raise claimed_rows_check (lost a race, all rolls back):
-- repeat.
-- Recorded: moved, state_mismatch, stale_revision, conflict.
-- Not recorded: replayed, key_reused, not_found, repeat.
-- $1 tenant  $2 booking  $3 resources[]  $4 blocked windows[]  $5 allocations[]  $6 visible window
-- $7 buffer before, s  $8 buffer after, s  $9 expected revision  $10 confirmation  $11 key  $12 checksum
-- $13 record
WITH prior AS MATERIALIZED (
    SELECT c.id, c.checksum, c.outcome, c.booking_id, c.snapshot, c.decided_at FROM slotkeeper.confirmations c
     WHERE c.tenant_id = $1 AND c.operation = 'move' AND c.key = $11
), booking AS MATERIALIZED (
    SELECT b.status, b.revision, b.during, b.claim_id FROM slotkeeper.bookings b
     WHERE b.tenant_id = $1 AND b.id = $2 AND NOT EXISTS (SELECT FROM prior) FOR UPDATE
), as_seen AS MATERIALIZED (
    -- The booking as this statement began. If it changed while we waited for it, rows were written that we
    -- cannot see: repeat, or the booking would keep them besides the new ones.
    SELECT b.revision FROM slotkeeper.bookings b WHERE b.tenant_id = $1 AND b.id = $2
), wanted AS MATERIALIZED (
    -- The sub-selects hide the arrays' lengths, so that the generic plan costs as a custom one and is kept.
    SELECT u.resource_id, u.during, u.id, r.kind, r.capacity, r.min_party
      FROM unnest((SELECT $3::uuid[]), (SELECT $4::tstzrange[]), (SELECT $5::uuid[]))
           AS u (resource_id, during, id)
     CROSS JOIN LATERAL (
            SELECT r.kind, r.capacity, r.min_party FROM slotkeeper.resources r
             WHERE r.tenant_id = $1 AND r.id = u.resource_id AND r.active LIMIT 1) r
     WHERE NOT EXISTS (SELECT FROM prior) AND (SELECT count(*) FROM booking) >= 0
), locked AS MATERIALIZED (
    -- The old resources and the new ones, in id order.
    SELECT r.id
      FROM (SELECT w.resource_id AS id FROM wanted w
             UNION SELECT a.resource_id FROM slotkeeper.allocations a
             WHERE a.tenant_id = $1 AND a.claim_id = (SELECT b.claim_id FROM booking b)
               AND a.released_at IS NULL
             ORDER BY 1) w
     CROSS JOIN LATERAL (
            SELECT r.id FROM slotkeeper.resources r
             WHERE r.tenant_id = $1 AND r.id = w.id FOR NO KEY UPDATE) r
), seen AS MATERIALIZED (
    SELECT a.id, a.kind, w.resource_id, a.during * w.during AS overlap,
           coalesce(a.expires_at <= statement_timestamp(), false) AS stale
      FROM wanted w CROSS JOIN LATERAL (
            SELECT a.id, a.kind, a.during, a.expires_at FROM slotkeeper.allocations a
             WHERE a.tenant_id = $1 AND a.resource_id = w.resource_id AND a.during && w.during
               AND a.released_at IS NULL AND NOT a.shadow
               AND a.claim_id <> (SELECT b.claim_id FROM booking b)
             UNION ALL
            SELECT a.id, a.kind, a.during, a.expires_at FROM slotkeeper.allocations a
             WHERE a.tenant_id = $1 AND a.resource_id = w.resource_id AND a.during && w.during
               AND a.released_at IS NULL AND a.shadow
               AND a.claim_id <> (SELECT b.claim_id FROM booking b)) a
), inspected AS MATERIALIZED (
    SELECT CASE WHEN EXISTS (SELECT FROM prior) THEN 'replayed'
                WHEN b.status IS NULL OR (SELECT count(*) FROM wanted) <> cardinality($3::uuid[])
                     THEN 'not_found'
                WHEN b.status <> 'confirmed' THEN 'state_mismatch'
                WHEN b.revision <> $9 THEN 'stale_revision'
                WHEN b.revision <> (SELECT w.revision FROM as_seen w) THEN 'repeat'
                WHEN EXISTS (SELECT FROM seen s WHERE NOT s.stale) THEN 'conflict' ELSE 'free' END AS outcome
      FROM (SELECT) one LEFT JOIN booking b ON true
), stale AS MATERIALIZED (
    SELECT a.id FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.released_at IS NULL AND (SELECT outcome FROM inspected) = 'free'
       AND (SELECT count(*) FROM locked) >= 0
       AND ((a.claim_id = (SELECT b.claim_id FROM booking b) AND a.kind = 'booked')
            OR a.expires_at <= statement_timestamp())
       -- By id: an OR over two ways to a row would read all rows of the tenant.
       AND a.id IN (SELECT s.id FROM seen s WHERE s.stale
                     UNION ALL SELECT o.id FROM slotkeeper.allocations o
                     WHERE o.tenant_id = $1 AND o.claim_id = (SELECT b.claim_id FROM booking b)
                       AND o.released_at IS NULL)
     ORDER BY a.resource_id, a.during FOR UPDATE
), freed AS (
    UPDATE slotkeeper.allocations a SET released_at = statement_timestamp()
      FROM stale s WHERE a.tenant_id = $1 AND a.id = s.id RETURNING 1
), claimed AS (
    -- Reads from `freed`: without that the order of the two is undefined and the place is lost.
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
    SELECT $1, w.id, w.resource_id, w.during, 'booked', (SELECT b.claim_id FROM booking b)
      FROM wanted w CROSS JOIN (SELECT count(*) FROM freed) f CROSS JOIN (SELECT count(*) FROM locked) l
     WHERE (SELECT outcome FROM inspected) = 'free'
     ORDER BY w.resource_id, w.during
    ON CONFLICT ON CONSTRAINT allocations_resource_during_excl DO NOTHING RETURNING 1
), counted AS MATERIALIZED (
    SELECT count(*)::integer AS n FROM claimed
), verdict AS MATERIALIZED (
    SELECT c.n, CASE WHEN i.outcome = 'free' THEN 'moved' ELSE i.outcome END AS outcome
      FROM inspected i CROSS JOIN counted c
), record AS (
    INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, booking_id,
           rows, snapshot)
    SELECT $1, $10, 'move', $11, $12, v.outcome, $2,
           CASE WHEN v.outcome <> 'moved' THEN 0 WHEN v.n = cardinality($3::uuid[]) THEN v.n ELSE -1 END,
           $13::jsonb || jsonb_build_object('at', statement_timestamp(),
               'resources', (
                   SELECT jsonb_agg(jsonb_build_object('id', w.resource_id, 'kind', w.kind,
                              'capacity', w.capacity, 'min_party', w.min_party)
                              ORDER BY w.resource_id, w.during)
                     FROM wanted w),
               'allocations', CASE WHEN v.outcome = 'moved' THEN (
                   SELECT jsonb_agg(jsonb_build_object('id', w.id, 'resource', w.resource_id, 'window',
                              jsonb_build_object('start', lower(w.during), 'end', upper(w.during)))
                              ORDER BY w.resource_id, w.during)
                     FROM wanted w) END,
               'booking', (
                   SELECT jsonb_build_object('id', $2::uuid, 'status', b.status, 'revision', b.revision,
                              'window', jsonb_build_object('start', lower(b.during), 'end', upper(b.during)))
                     FROM booking b),
               'blockers', CASE WHEN v.outcome = 'conflict' THEN (
                   SELECT jsonb_agg(jsonb_build_object('allocation', s.id, 'resource', s.resource_id,
                              'kind', s.kind, 'overlap',
                              jsonb_build_object('start', lower(s.overlap), 'end', upper(s.overlap))))
                     FROM (SELECT * FROM seen WHERE NOT stale ORDER BY resource_id, overlap LIMIT 64) s) END)
      FROM verdict v WHERE v.outcome NOT IN ('replayed', 'not_found', 'repeat')
    ON CONFLICT ON CONSTRAINT confirmations_key_key DO NOTHING
    RETURNING id, outcome, booking_id, snapshot, decided_at
), booking_written AS (
    UPDATE slotkeeper.bookings x SET during = $6, buffer_before_seconds = $7, buffer_after_seconds = $8,
           revision = x.revision + 1, updated_at = statement_timestamp(),
           history = x.history || jsonb_build_array(jsonb_build_object(
               'revision', x.revision + 1, 'status', 'confirmed', 'window',
               jsonb_build_object('start', lower($6::tstzrange), 'end', upper($6::tstzrange)),
               'confirmation', r.id, 'changed_at', statement_timestamp()))
      FROM record r WHERE x.tenant_id = $1 AND x.id = $2 AND r.outcome = 'moved' RETURNING x.revision
), event AS (
    -- One booking less than it tells of, if the key was taken meanwhile: then all rolls back.
    INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body, rows)
    SELECT $1, $10, 'booking.moved', $2, jsonb_build_object('booking', $2::uuid, 'revision',
               (SELECT w.revision FROM booking_written w), 'confirmation', $10::uuid),
           (SELECT count(*) - 1 FROM booking_written)
      FROM verdict v WHERE v.outcome = 'moved' RETURNING 1
)
SELECT CASE WHEN p.id IS NOT NULL THEN CASE WHEN p.checksum = $12 THEN 'replayed' ELSE 'key_reused' END
            WHEN v.outcome = 'not_found' THEN 'not_found'
            WHEN r.id IS NULL THEN 'repeat' ELSE 'recorded' END AS outcome,
       coalesce(p.outcome, r.outcome) AS recorded, coalesce(p.id, r.id) AS id,
       coalesce(p.booking_id, r.booking_id) AS booking_id, coalesce(p.snapshot, r.snapshot) AS snapshot,
       coalesce(p.decided_at, r.decided_at) AS decided_at,
       -- Nothing was looked for on behalf of a booking that does not exist.
       CASE WHEN v.outcome = 'not_found' AND EXISTS (SELECT FROM booking) THEN ARRAY(
           SELECT u.id FROM unnest($3::uuid[]) u (id)
            WHERE u.id NOT IN (SELECT w.resource_id FROM wanted w)) END AS missing
  FROM verdict v LEFT JOIN record r ON true LEFT JOIN prior p ON true
