-- booking.confirm
-- Confirms as booking.confirm_active does, and also: under a booking id of the caller's, for a pending
-- booking, or after expiry if the places are still free: rows that are still the hold's are kept, rows that
-- were swept or taken over and are free again are claimed anew. May raise claimed_rows_check:
-- repeat.
-- Recorded: confirmed, state_mismatch, hold_consumed, hold_released, window_mismatch, hold_expired, conflict.
-- Not recorded: replayed, key_reused, not_found, repeat, unknown_hold (a status that only a newer version
-- knows).
-- $1 tenant  $2 hold  $3 booking  $4 confirmation  $5 key  $6 checksum  $7 record
-- $8 expected window, or null
-- $9 expected, what booking $3 must be: 'pending', 'new' (must not exist), or null: minted by the library, so
--    it cannot exist
-- $10 reference  $11 customer  $12 price, minor units  $13 currency  $14 time zone  $15 metadata
-- $16 if still free
WITH prior AS MATERIALIZED (
    SELECT c.id, c.checksum, c.outcome, c.booking_id, c.snapshot, c.decided_at FROM slotkeeper.confirmations c
     WHERE c.tenant_id = $1 AND c.operation = 'confirm' AND c.key = $5
), booking AS MATERIALIZED (
    SELECT b.status, b.revision, b.during FROM slotkeeper.bookings b
     WHERE (SELECT $9::text) IS NOT NULL AND b.tenant_id = $1 AND b.id = $3 AND NOT EXISTS (SELECT FROM prior)
       FOR UPDATE
), hold AS MATERIALIZED (
    SELECT h.id, h.status, h.rows, h.during, h.buffer_before_seconds, h.buffer_after_seconds,
           h.placed_at, h.expires_at
      FROM slotkeeper.holds h
     WHERE h.tenant_id = $1 AND h.id = $2 AND NOT EXISTS (SELECT FROM prior)
       AND (SELECT count(*) FROM booking) >= 0
       FOR UPDATE
), placed_rows AS MATERIALIZED (
    -- An active hold has exactly the rows it was placed with, released or not.
    SELECT a.id, a.resource_id, a.during FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.claim_id = $2 AND (SELECT h.status FROM hold h) = 'active'
), locked AS MATERIALIZED (
    -- Only what may claim anew locks resources.
    SELECT r.id, r.active
      FROM (SELECT DISTINCT m.resource_id AS id FROM placed_rows m WHERE (SELECT $16::boolean) ORDER BY 1) m
     CROSS JOIN LATERAL (
            SELECT r.id, r.active FROM slotkeeper.resources r
             WHERE r.tenant_id = $1 AND r.id = m.id FOR NO KEY UPDATE) r
), inactive AS MATERIALIZED (
    -- After expiry this is a new claim, whether its rows are still there or not: sweeping changes no answer.
    SELECT l.id FROM locked l
     WHERE NOT l.active AND (SELECT h.expires_at FROM hold h) <= statement_timestamp()
), held_rows AS MATERIALIZED (
    SELECT a.id FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.claim_id = $2 AND a.released_at IS NULL AND a.kind = 'held'
       AND (SELECT h.status FROM hold h) = 'active' AND (SELECT count(*) FROM locked) >= 0
     ORDER BY a.resource_id, a.during FOR UPDATE
), seen AS MATERIALIZED (
    SELECT a.id, a.kind, w.resource_id, a.during * w.during AS overlap,
           coalesce(a.expires_at <= statement_timestamp(), false) AS stale
      FROM placed_rows w CROSS JOIN LATERAL (
            SELECT a.id, a.kind, a.during, a.expires_at FROM slotkeeper.allocations a
             WHERE a.tenant_id = $1 AND a.resource_id = w.resource_id AND a.during && w.during
               AND a.released_at IS NULL AND NOT a.shadow
               AND a.claim_id <> $2
             UNION ALL
            SELECT a.id, a.kind, a.during, a.expires_at FROM slotkeeper.allocations a
             WHERE a.tenant_id = $1 AND a.resource_id = w.resource_id AND a.during && w.during
               AND a.released_at IS NULL AND a.shadow
               AND a.claim_id <> $2) a
), inspected AS MATERIALIZED (
    SELECT CASE WHEN EXISTS (SELECT FROM prior) THEN 'replayed'
                WHEN h.id IS NULL OR ($9 = 'pending' AND NOT EXISTS (SELECT FROM booking))
                  OR EXISTS (SELECT FROM inactive) THEN 'not_found'
                WHEN EXISTS (SELECT FROM booking b WHERE $9 = 'new' OR b.status <> 'pending')
                     THEN 'state_mismatch'
                WHEN h.status = 'consumed' THEN 'hold_consumed'
                WHEN h.status NOT IN ('active', 'released', 'replaced') THEN 'unknown_hold'
                WHEN h.status <> 'active' THEN 'hold_released'
                WHEN h.during <> $8 OR EXISTS (SELECT FROM booking b WHERE b.during <> h.during)
                     THEN 'window_mismatch'
                WHEN NOT $16 AND (h.expires_at <= statement_timestamp()
                     OR (SELECT count(*) FROM held_rows) <> h.rows) THEN 'hold_expired'
                WHEN EXISTS (SELECT FROM seen s WHERE NOT s.stale) THEN 'conflict' ELSE 'free' END AS outcome
      FROM (SELECT) one LEFT JOIN hold h ON true
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
    SELECT $1, gen_random_uuid(), m.resource_id, m.during, 'booked', $2
      FROM placed_rows m CROSS JOIN (SELECT count(*) FROM freed) f
     WHERE (SELECT outcome FROM inspected) = 'free' AND m.id NOT IN (SELECT l.id FROM held_rows l)
     ORDER BY m.resource_id, m.during
    ON CONFLICT ON CONSTRAINT allocations_resource_during_excl DO NOTHING RETURNING id, resource_id, during
), verdict AS MATERIALIZED (
    SELECT CASE WHEN i.outcome = 'free' THEN 'confirmed' ELSE i.outcome END AS outcome,
           CASE WHEN i.outcome = 'free'
                THEN ((SELECT count(*) FROM held_rows) + (SELECT count(*) FROM claimed))::integer
                ELSE 0 END AS n
      FROM inspected i
), booked_rows AS MATERIALIZED (
    -- A conflict records every place the hold had, swept or not: what its blockers are in the way of.
    SELECT m.id, m.resource_id, m.during FROM placed_rows m
     WHERE m.id IN (SELECT l.id FROM held_rows l) OR (SELECT d.outcome FROM verdict d) = 'conflict'
     UNION ALL SELECT c.id, c.resource_id, c.during FROM claimed c
), record AS (
    INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, booking_id,
           rows, snapshot)
    SELECT $1, $4, 'confirm', $5, $6, v.outcome,
           CASE WHEN v.outcome = 'confirmed' OR EXISTS (SELECT FROM booking) THEN $3::uuid END,
           CASE WHEN v.outcome <> 'confirmed' THEN 0 WHEN v.n = h.rows THEN v.n ELSE -1 END,
           $7::jsonb || jsonb_build_object('at', statement_timestamp(),
               'hold', jsonb_build_object('id', h.id, 'status', h.status, 'placed_at', h.placed_at,
                   'expires_at', h.expires_at, 'requested', h.rows, 'window',
                   jsonb_build_object('start', lower(h.during), 'end', upper(h.during))),
               'booking', (
                   SELECT jsonb_build_object('id', $3::uuid, 'status', b.status, 'revision', b.revision,
                              'window', jsonb_build_object('start', lower(b.during), 'end', upper(b.during)))
                     FROM booking b),
               'resources', (
                   SELECT jsonb_agg(jsonb_build_object('id', r.id, 'kind', r.kind,
                              'capacity', r.capacity, 'min_party', r.min_party)
                              ORDER BY m.resource_id, m.during)
                     FROM placed_rows m CROSS JOIN LATERAL (
                          SELECT r.id, r.kind, r.capacity, r.min_party FROM slotkeeper.resources r
                           WHERE r.tenant_id = $1 AND r.id = m.resource_id LIMIT 1) r),
               'allocations', (
                   SELECT jsonb_agg(jsonb_build_object('id', a.id, 'resource', a.resource_id, 'window',
                              jsonb_build_object('start', lower(a.during), 'end', upper(a.during)))
                              ORDER BY a.resource_id, a.during)
                     FROM booked_rows a),
               'blockers', CASE WHEN v.outcome = 'conflict' THEN (
                   SELECT jsonb_agg(jsonb_build_object('allocation', s.id, 'resource', s.resource_id,
                              'kind', s.kind, 'overlap',
                              jsonb_build_object('start', lower(s.overlap), 'end', upper(s.overlap))))
                     FROM (SELECT * FROM seen WHERE NOT stale ORDER BY resource_id, overlap LIMIT 64) s) END)
      FROM verdict v CROSS JOIN hold h WHERE v.outcome NOT IN ('replayed', 'not_found', 'unknown_hold')
    ON CONFLICT ON CONSTRAINT confirmations_key_key DO NOTHING
    RETURNING id, outcome, booking_id, snapshot, decided_at
), allocations_written AS (
    UPDATE slotkeeper.allocations x SET kind = 'booked', expires_at = NULL
      FROM held_rows l CROSS JOIN record r
     WHERE x.tenant_id = $1 AND x.claim_id = $2 AND x.id = l.id AND r.outcome = 'confirmed' RETURNING 1
), hold_written AS (
    UPDATE slotkeeper.holds x SET status = 'consumed'
      FROM record r WHERE x.tenant_id = $1 AND x.id = $2 AND r.outcome = 'confirmed' RETURNING 1
), booking_written AS (
    INSERT INTO slotkeeper.bookings AS x (tenant_id, id, status, revision, during, buffer_before_seconds,
           buffer_after_seconds, claim_id, confirmation_id, reference, customer_ref, price_minor, currency,
           time_zone, metadata, history)
    SELECT $1, $3, 'confirmed', 1, h.during, h.buffer_before_seconds, h.buffer_after_seconds, $2, r.id,
           $10, $11, $12, $13, $14, $15,
           jsonb_build_array(jsonb_build_object('revision', 1, 'status', 'confirmed', 'window',
               jsonb_build_object('start', lower(h.during), 'end', upper(h.during)), 'confirmation', r.id,
               'changed_at', statement_timestamp()))
      FROM record r CROSS JOIN hold h WHERE r.outcome = 'confirmed'
    ON CONFLICT ON CONSTRAINT bookings_pkey DO UPDATE
       SET status = 'confirmed', revision = x.revision + 1, claim_id = EXCLUDED.claim_id,
           buffer_before_seconds = EXCLUDED.buffer_before_seconds,
           buffer_after_seconds = EXCLUDED.buffer_after_seconds,
           confirmation_id = EXCLUDED.confirmation_id, reference = coalesce(EXCLUDED.reference, x.reference),
           customer_ref = coalesce(EXCLUDED.customer_ref, x.customer_ref),
           price_minor = coalesce(EXCLUDED.price_minor, x.price_minor),
           currency = coalesce(EXCLUDED.currency, x.currency),
           time_zone = coalesce(EXCLUDED.time_zone, x.time_zone),
           metadata = x.metadata || EXCLUDED.metadata, updated_at = statement_timestamp(),
           history = x.history || jsonb_set(EXCLUDED.history, '{0,revision}', to_jsonb(x.revision + 1))
     WHERE $9 = 'pending' AND x.status = 'pending' RETURNING x.revision
), event AS (
    -- One booking less than it tells of, if its key or id was taken meanwhile: then all rolls back.
    INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body, rows)
    SELECT $1, $4, 'booking.confirmed', $3, jsonb_build_object('booking', $3::uuid, 'revision',
               (SELECT w.revision FROM booking_written w), 'confirmation', $4::uuid, 'hold', $2::uuid),
           (SELECT count(*) - 1 FROM booking_written)
      FROM verdict v WHERE v.outcome = 'confirmed' RETURNING 1
)
SELECT CASE WHEN p.id IS NOT NULL THEN CASE WHEN p.checksum = $6 THEN 'replayed' ELSE 'key_reused' END
            WHEN v.outcome IN ('not_found', 'unknown_hold') THEN v.outcome
            WHEN r.id IS NULL THEN 'repeat' ELSE 'recorded' END AS outcome,
       coalesce(p.outcome, r.outcome) AS recorded, coalesce(p.id, r.id) AS id,
       coalesce(p.booking_id, r.booking_id) AS booking_id, coalesce(p.snapshot, r.snapshot) AS snapshot,
       coalesce(p.decided_at, r.decided_at) AS decided_at,
       CASE WHEN v.outcome = 'not_found' THEN ARRAY(SELECT o.id FROM inactive o) END AS missing
  FROM verdict v LEFT JOIN record r ON true LEFT JOIN prior p ON true
