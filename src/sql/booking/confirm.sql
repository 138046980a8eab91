-- booking.confirm
-- Turns a live hold into a booking. The record is written before anything changes and drives every change, so nothing
-- here raises on a refusal; with a booking id of the caller's, outbox_claimed_check may: repeat.
-- Recorded: confirmed, state_mismatch, hold_consumed, hold_released, window_mismatch, hold_expired.
-- Not recorded: replayed, key_reused, not_found, again.
-- $1 tenant  $2 hold  $3 booking  $4 confirmation  $5 key  $6 checksum  $7 record  $8 expected window, or null
-- $9 what booking $3 must be: 'pending', 'new' (must not exist), or null: minted by the library, so it cannot exist
-- $10 reference  $11 customer  $12 price, minor units  $13 currency  $14 time zone  $15 metadata
WITH prior AS MATERIALIZED (
    SELECT c.id, c.checksum, c.outcome, c.booking_id, c.snapshot, c.decided_at FROM slotkeeper.confirmations c
     WHERE c.tenant_id = $1 AND c.operation = 'confirm' AND c.key = $5
), b AS MATERIALIZED (
    SELECT b.status, b.revision, b.during FROM slotkeeper.bookings b
     WHERE (SELECT $9::text) IS NOT NULL AND b.tenant_id = $1 AND b.id = $3 AND NOT EXISTS (SELECT FROM prior) FOR UPDATE
), h AS MATERIALIZED (
    SELECT h.id, h.status, h.requested, h.during, h.buffer_before_seconds, h.buffer_after_seconds, h.placed_at,
           h.expires_at
      FROM slotkeeper.holds h
     WHERE h.tenant_id = $1 AND h.id = $2 AND NOT EXISTS (SELECT FROM prior) AND (SELECT count(*) FROM b) >= 0
       FOR UPDATE
), a AS MATERIALIZED (
    SELECT a.id, a.resource_id, a.during FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.claim_id = $2 AND a.released_at IS NULL AND a.kind = 'held'
       AND (SELECT count(*) FROM h) = 1
     ORDER BY a.resource_id, a.during FOR UPDATE
), v AS MATERIALIZED (
    SELECT c.n, CASE WHEN EXISTS (SELECT FROM prior) THEN 'replayed'
                WHEN h.id IS NULL OR ($9 = 'pending' AND NOT EXISTS (SELECT FROM b)) THEN 'not_found'
                WHEN EXISTS (SELECT FROM b WHERE $9 = 'new' OR b.status <> 'pending') THEN 'state_mismatch'
                WHEN h.status = 'consumed' THEN 'hold_consumed' WHEN h.status <> 'active' THEN 'hold_released'
                WHEN h.during <> $8 OR EXISTS (SELECT FROM b WHERE b.during <> h.during) THEN 'window_mismatch'
                WHEN h.expires_at <= statement_timestamp() OR c.n <> h.requested THEN 'hold_expired'
                ELSE 'confirmed' END AS outcome
      FROM (SELECT count(*)::integer AS n FROM a) c LEFT JOIN h ON true
), rec AS (
    INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, booking_id, requested, claimed, snapshot)
    SELECT $1, $4, 'confirm', $5, $6, v.outcome,
           CASE WHEN v.outcome = 'confirmed' OR EXISTS (SELECT FROM b) THEN $3::uuid END, d.n, d.n,
           $7::jsonb || jsonb_build_object('at', statement_timestamp(), 'hold', jsonb_build_object('id', h.id, 'status', h.status, 'placed_at', h.placed_at, 'expires_at', h.expires_at,
                   'requested', h.requested, 'window',
                   jsonb_build_object('start', lower(h.during), 'end', upper(h.during))),
               'booking', (SELECT jsonb_build_object('id', $3::uuid, 'status', b.status, 'revision', b.revision, 'window',
                   jsonb_build_object('start', lower(b.during), 'end', upper(b.during))) FROM b),
               'resources', (SELECT jsonb_agg(jsonb_build_object('id', r.id, 'kind', r.kind, 'capacity', r.capacity,
                   'min_party', r.min_party) ORDER BY a.resource_id, a.during)
                   FROM a CROSS JOIN LATERAL (SELECT r.id, r.kind, r.capacity, r.min_party FROM slotkeeper.resources r
                    WHERE r.tenant_id = $1 AND r.id = a.resource_id LIMIT 1) r),
               'allocations', (SELECT jsonb_agg(jsonb_build_object('id', a.id, 'resource', a.resource_id, 'window',
                   jsonb_build_object('start', lower(a.during), 'end', upper(a.during)))
                   ORDER BY a.resource_id, a.during) FROM a))
      FROM v CROSS JOIN h CROSS JOIN LATERAL (SELECT CASE WHEN v.outcome = 'confirmed' THEN v.n ELSE 0 END AS n) d
     WHERE v.outcome NOT IN ('replayed', 'not_found')
    ON CONFLICT ON CONSTRAINT confirmations_key_key DO NOTHING RETURNING id, outcome, booking_id, snapshot, decided_at
), ua AS (
    -- Nothing indexed changes here, so the update stays within its page (HOT).
    UPDATE slotkeeper.allocations x SET kind = 'booked', expires_at = NULL
      FROM a CROSS JOIN rec r WHERE x.tenant_id = $1 AND x.id = a.id AND r.outcome = 'confirmed' RETURNING 1
), uh AS (
    UPDATE slotkeeper.holds x SET status = 'consumed'
      FROM rec r WHERE x.tenant_id = $1 AND x.id = $2 AND r.outcome = 'confirmed' RETURNING 1
), bk AS (
    INSERT INTO slotkeeper.bookings AS x (tenant_id, id, status, revision, during, buffer_before_seconds, buffer_after_seconds, claim_id,
           confirmation_id, reference, customer_ref, price_minor, currency, time_zone, metadata)
    SELECT $1, $3, 'confirmed', 1, h.during, h.buffer_before_seconds, h.buffer_after_seconds, $2, r.id,
           $10, $11, $12, $13, $14, $15
      FROM rec r CROSS JOIN h WHERE r.outcome = 'confirmed'
    ON CONFLICT ON CONSTRAINT bookings_pkey DO UPDATE
       SET status = 'confirmed', revision = x.revision + 1, claim_id = EXCLUDED.claim_id,
           buffer_before_seconds = EXCLUDED.buffer_before_seconds, buffer_after_seconds = EXCLUDED.buffer_after_seconds,
           confirmation_id = EXCLUDED.confirmation_id, reference = coalesce(EXCLUDED.reference, x.reference),
           customer_ref = coalesce(EXCLUDED.customer_ref, x.customer_ref),
           price_minor = coalesce(EXCLUDED.price_minor, x.price_minor),
           currency = coalesce(EXCLUDED.currency, x.currency), time_zone = coalesce(EXCLUDED.time_zone, x.time_zone),
           metadata = x.metadata || EXCLUDED.metadata, updated_at = statement_timestamp()
     WHERE $9 = 'pending' AND x.status = 'pending' RETURNING x.revision, x.during
), hist AS (
    INSERT INTO slotkeeper.booking_history (tenant_id, booking_id, revision, status, during, confirmation_id)
    SELECT $1, $3, bk.revision, 'confirmed', bk.during, $4 FROM bk RETURNING 1
), ob AS (
    -- Counts the booking it tells of: zero if the key or the booking id was taken meanwhile, and the check rolls back.
    INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body, requested, claimed)
    SELECT $1, $4, 'booking.confirmed', $3, jsonb_build_object('booking', $3::uuid, 'revision',
               (SELECT bk.revision FROM bk), 'confirmation', $4::uuid, 'hold', $2::uuid), 1, (SELECT count(*) FROM bk)
      FROM rec r WHERE r.outcome = 'confirmed' RETURNING 1
)
SELECT CASE WHEN p.id IS NOT NULL THEN CASE WHEN p.checksum = $6 THEN 'replayed' ELSE 'key_reused' END
            WHEN v.outcome = 'not_found' THEN 'not_found' WHEN r.id IS NULL THEN 'again' ELSE 'recorded' END AS outcome,
       coalesce(p.outcome, r.outcome) AS recorded, coalesce(p.id, r.id) AS id,
       coalesce(p.booking_id, r.booking_id) AS booking_id, coalesce(p.snapshot, r.snapshot) AS snapshot,
       coalesce(p.decided_at, r.decided_at) AS decided_at,
       NULL::uuid[] AS missing
  FROM v LEFT JOIN rec r ON true LEFT JOIN prior p ON true
