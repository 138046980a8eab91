-- booking.cancel
-- Frees the booking's place at once. Cancelling a cancelled booking changes nothing and is recorded too.
-- Cannot raise.
-- Recorded: cancelled, stale_revision.
-- Not recorded: replayed, key_reused, not_found, repeat, unknown_booking (a status that only a newer version
-- knows).
-- $1 tenant  $2 booking  $3 confirmation  $4 key  $5 checksum  $6 record  $7 expected revision, or null
WITH prior AS MATERIALIZED (
    SELECT c.id, c.checksum, c.outcome, c.booking_id, c.snapshot, c.decided_at FROM slotkeeper.confirmations c
     WHERE c.tenant_id = $1 AND c.operation = 'cancel' AND c.key = $4
), booking AS MATERIALIZED (
    SELECT b.status, b.revision, b.during, b.claim_id FROM slotkeeper.bookings b
     WHERE b.tenant_id = $1 AND b.id = $2 AND NOT EXISTS (SELECT FROM prior) FOR UPDATE
), as_seen AS MATERIALIZED (
    -- The booking as this statement began. If it changed while we waited for it, rows were written that we
    -- cannot see: repeat, or a cancelled booking would keep the place it was just moved to.
    SELECT b.revision FROM slotkeeper.bookings b WHERE b.tenant_id = $1 AND b.id = $2
), booked_rows AS MATERIALIZED (
    SELECT a.id, a.resource_id, a.during FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.claim_id = (SELECT b.claim_id FROM booking b) AND a.released_at IS NULL
       AND a.kind = 'booked'
     ORDER BY a.resource_id, a.during FOR UPDATE
), verdict AS MATERIALIZED (
    SELECT CASE WHEN EXISTS (SELECT FROM prior) THEN 'replayed' WHEN b.status IS NULL THEN 'not_found'
                WHEN b.status NOT IN ('pending', 'confirmed', 'cancelled') THEN 'unknown_booking'
                WHEN b.revision <> (SELECT w.revision FROM as_seen w) THEN 'repeat'
                WHEN b.revision <> $7 THEN 'stale_revision' ELSE 'cancelled' END AS outcome,
           coalesce(b.status <> 'cancelled', false) AS live
      FROM (SELECT) one LEFT JOIN booking b ON true
), record AS (
    INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, booking_id,
           rows, snapshot)
    SELECT $1, $3, 'cancel', $4, $5, v.outcome, $2, 0,
           $6::jsonb || jsonb_build_object('at', statement_timestamp(),
               'booking', jsonb_build_object('id', $2::uuid, 'status', b.status, 'revision', b.revision,
                   'window', jsonb_build_object('start', lower(b.during), 'end', upper(b.during))),
               'allocations', (
                   SELECT jsonb_agg(jsonb_build_object('id', a.id, 'resource', a.resource_id, 'window',
                              jsonb_build_object('start', lower(a.during), 'end', upper(a.during)))
                              ORDER BY a.resource_id, a.during)
                     FROM booked_rows a))
      FROM verdict v CROSS JOIN booking b WHERE v.outcome IN ('cancelled', 'stale_revision')
    ON CONFLICT ON CONSTRAINT confirmations_key_key DO NOTHING
    RETURNING id, outcome, booking_id, snapshot, decided_at
), freed AS (
    UPDATE slotkeeper.allocations x SET released_at = statement_timestamp()
      FROM booked_rows a CROSS JOIN record r
     WHERE x.tenant_id = $1 AND x.claim_id = (SELECT b.claim_id FROM booking b) AND x.id = a.id
       AND r.outcome = 'cancelled' RETURNING 1
), booking_written AS (
    UPDATE slotkeeper.bookings x SET status = 'cancelled', revision = x.revision + 1,
           updated_at = statement_timestamp(),
           history = x.history || jsonb_build_array(jsonb_build_object(
               'revision', x.revision + 1, 'status', 'cancelled', 'window',
               jsonb_build_object('start', lower(x.during), 'end', upper(x.during)), 'confirmation', r.id,
               'changed_at', statement_timestamp()))
      FROM record r CROSS JOIN verdict v
     WHERE x.tenant_id = $1 AND x.id = $2 AND r.outcome = 'cancelled' AND v.live RETURNING x.revision
), event AS (
    INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body)
    SELECT $1, $3, 'booking.cancelled', $2, jsonb_build_object('booking', $2::uuid, 'revision', w.revision,
               'confirmation', $3::uuid) FROM booking_written w RETURNING 1
)
SELECT CASE WHEN p.id IS NOT NULL THEN CASE WHEN p.checksum = $5 THEN 'replayed' ELSE 'key_reused' END
            WHEN v.outcome IN ('not_found', 'unknown_booking') THEN v.outcome
            WHEN r.id IS NULL THEN 'repeat' ELSE 'recorded' END AS outcome,
       coalesce(p.outcome, r.outcome) AS recorded, coalesce(p.id, r.id) AS id,
       coalesce(p.booking_id, r.booking_id) AS booking_id, coalesce(p.snapshot, r.snapshot) AS snapshot,
       coalesce(p.decided_at, r.decided_at) AS decided_at
  FROM verdict v LEFT JOIN record r ON true LEFT JOIN prior p ON true
