-- booking.confirm_active
-- Turns a live hold into a new booking under an id minted by the library. The record is written before
-- anything changes and drives every change, so nothing here raises on a refusal.
-- Recorded: confirmed, hold_consumed, hold_released, window_mismatch, hold_expired.
-- Not recorded: replayed, key_reused, not_found, repeat, unknown_hold (a status that only a newer version
-- knows).
-- $1 tenant  $2 hold  $3 booking  $4 confirmation  $5 key  $6 checksum  $7 record
-- $8 expected window, or null  $9 reference  $10 customer  $11 price, minor units  $12 currency
-- $13 time zone  $14 metadata
WITH prior AS MATERIALIZED (
    SELECT c.id, c.checksum, c.outcome, c.booking_id, c.snapshot, c.decided_at FROM slotkeeper.confirmations c
     WHERE c.tenant_id = $1 AND c.operation = 'confirm' AND c.key = $5
), hold AS MATERIALIZED (
    SELECT h.id, h.status, h.rows, h.during, h.buffer_before_seconds, h.buffer_after_seconds,
           h.placed_at, h.expires_at
      FROM slotkeeper.holds h
     WHERE h.tenant_id = $1 AND h.id = $2 AND NOT EXISTS (SELECT FROM prior)
       FOR UPDATE
), held_rows AS MATERIALIZED (
    SELECT a.id, a.resource_id, a.during FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.claim_id = (SELECT h.id FROM hold h) AND a.released_at IS NULL
       AND a.kind = 'held'
     ORDER BY a.resource_id, a.during FOR UPDATE
), verdict AS MATERIALIZED (
    SELECT h.*, CASE WHEN h.status = 'consumed' THEN 'hold_consumed'
                WHEN h.status NOT IN ('active', 'released', 'replaced') THEN 'unknown_hold'
                WHEN h.status <> 'active' THEN 'hold_released'
                WHEN h.during <> $8 THEN 'window_mismatch'
                WHEN h.expires_at <= statement_timestamp() OR c.n <> h.rows THEN 'hold_expired'
                ELSE 'confirmed' END AS outcome, c.resources, c.allocations
      FROM hold h CROSS JOIN (
           SELECT count(*) AS n,
                  jsonb_agg(jsonb_build_object('id', r.id, 'kind', r.kind, 'capacity', r.capacity,
                       'min_party', r.min_party)) AS resources,
                  jsonb_agg(jsonb_build_object('id', a.id, 'resource', a.resource_id, 'window',
                       jsonb_build_object('start', lower(a.during), 'end', upper(a.during)))) AS allocations
             FROM held_rows a CROSS JOIN LATERAL (
                  SELECT r.id, r.kind, r.capacity, r.min_party FROM slotkeeper.resources r
                   WHERE r.tenant_id = $1 AND r.id = a.resource_id LIMIT 1) r) c
), record AS (
    INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, booking_id,
           rows, snapshot)
    SELECT $1, $4, 'confirm', $5, $6, v.outcome,
           CASE WHEN v.outcome = 'confirmed' THEN $3::uuid END, d.n,
           $7::jsonb || jsonb_build_object('at', statement_timestamp(),
               'hold', jsonb_build_object('id', v.id, 'status', v.status, 'placed_at', v.placed_at,
                   'expires_at', v.expires_at, 'requested', v.rows, 'window',
                   jsonb_build_object('start', lower(v.during), 'end', upper(v.during))),
               'resources', v.resources, 'allocations', v.allocations)
      FROM verdict v
     CROSS JOIN LATERAL (SELECT CASE WHEN v.outcome = 'confirmed' THEN v.rows ELSE 0 END AS n) d
     WHERE v.outcome <> 'unknown_hold'
    ON CONFLICT ON CONSTRAINT confirmations_key_key DO NOTHING
    RETURNING id, outcome, booking_id, snapshot, decided_at
), allocations_written AS (
    -- Nothing indexed changes here, so the update stays within its page (HOT).
    UPDATE slotkeeper.allocations x SET kind = 'booked', expires_at = NULL
      FROM held_rows a CROSS JOIN record r
     WHERE x.tenant_id = $1 AND x.claim_id = $2 AND x.id = a.id AND r.booking_id IS NOT NULL RETURNING 1
), hold_written AS (
    UPDATE slotkeeper.holds x SET status = 'consumed'
      FROM record r WHERE x.tenant_id = $1 AND x.id = $2 AND r.booking_id IS NOT NULL RETURNING 1
), booking_written AS (
    INSERT INTO slotkeeper.bookings (tenant_id, id, status, revision, during, buffer_before_seconds,
           buffer_after_seconds, claim_id, confirmation_id, reference, customer_ref, price_minor, currency,
           time_zone, metadata, history)
    SELECT $1, $3, 'confirmed', 1, v.during, v.buffer_before_seconds, v.buffer_after_seconds, $2, r.id,
           $9, $10, $11, $12, $13, $14,
           jsonb_build_array(jsonb_build_object('revision', 1, 'status', 'confirmed', 'window',
               jsonb_build_object('start', lower(v.during), 'end', upper(v.during)), 'confirmation', r.id,
               'changed_at', statement_timestamp()))
      FROM record r CROSS JOIN verdict v WHERE r.booking_id IS NOT NULL RETURNING 1
), event AS (
    INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body)
    SELECT $1, $4, 'booking.confirmed', $3, jsonb_build_object('booking', $3::uuid, 'revision', 1,
               'confirmation', $4::uuid, 'hold', $2::uuid)
      FROM booking_written RETURNING 1
)
SELECT CASE WHEN p.id IS NOT NULL THEN CASE WHEN p.checksum = $6 THEN 'replayed' ELSE 'key_reused' END
            WHEN NOT EXISTS (SELECT FROM hold) THEN 'not_found'
            WHEN (SELECT v.outcome FROM verdict v) = 'unknown_hold' THEN 'unknown_hold'
            WHEN r.id IS NULL THEN 'repeat' ELSE 'recorded' END AS outcome,
       coalesce(p.outcome, r.outcome) AS recorded, coalesce(p.id, r.id) AS id,
       coalesce(p.booking_id, r.booking_id) AS booking_id, coalesce(p.snapshot, r.snapshot) AS snapshot,
       coalesce(p.decided_at, r.decided_at) AS decided_at
  FROM (SELECT) one LEFT JOIN record r ON true LEFT JOIN prior p ON true
