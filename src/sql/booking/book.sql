-- booking.book
-- Several resources, a booking id of the caller's, or the approval of a pending booking. May raise
-- claimed_rows_check: repeat.
-- Recorded: confirmed, conflict, state_mismatch, window_mismatch.
-- Not recorded: replayed, key_reused, not_found, repeat.
-- $1 tenant  $2 claim  $3 resources[]  $4 blocked windows[]  $5 allocations[]  $6 visible window
-- $7 buffer before, s  $8 buffer after, s  $9 booking  $10 confirmation  $11 key  $12 checksum  $13 record
-- $14 reference  $15 customer  $16 price, minor units  $17 currency  $18 time zone  $19 metadata
-- $20 pending, whether booking $9 must be (else it must not exist)
WITH prior AS MATERIALIZED (
    SELECT c.id, c.checksum, c.outcome, c.booking_id, c.snapshot, c.decided_at FROM slotkeeper.confirmations c
     WHERE c.tenant_id = $1 AND c.operation = 'book' AND c.key = $11
), booking AS MATERIALIZED (
    SELECT b.status, b.revision, b.during FROM slotkeeper.bookings b
     WHERE b.tenant_id = $1 AND b.id = $9 AND NOT EXISTS (SELECT FROM prior) FOR UPDATE
), wanted AS MATERIALIZED (
    -- The sub-selects hide the arrays' lengths, so that the generic plan costs as a custom one and is kept.
    SELECT u.resource_id, u.during, u.id, r.kind, r.capacity, r.min_party
      FROM unnest((SELECT $3::uuid[]), (SELECT $4::tstzrange[]), (SELECT $5::uuid[]))
           AS u (resource_id, during, id)
     CROSS JOIN LATERAL (
            SELECT r.kind, r.capacity, r.min_party FROM slotkeeper.resources r
             WHERE r.tenant_id = $1 AND r.id = u.resource_id AND r.active LIMIT 1) r
     WHERE NOT EXISTS (SELECT FROM prior) AND (SELECT count(*) FROM booking) >= 0
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
    SELECT CASE WHEN EXISTS (SELECT FROM prior) THEN 'replayed'
                WHEN (SELECT count(*) FROM wanted) <> cardinality($3::uuid[])
                  OR ($20::boolean AND NOT EXISTS (SELECT FROM booking)) THEN 'not_found'
                WHEN EXISTS (SELECT FROM booking b WHERE NOT $20 OR b.status <> 'pending')
                     THEN 'state_mismatch'
                WHEN EXISTS (SELECT FROM booking b WHERE b.during <> $6) THEN 'window_mismatch'
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
    SELECT $1, w.id, w.resource_id, w.during, 'booked', $2
      FROM wanted w CROSS JOIN (SELECT count(*) FROM freed) f CROSS JOIN (SELECT count(*) FROM locked) l
     WHERE (SELECT outcome FROM inspected) = 'free'
     ORDER BY w.resource_id, w.during
    ON CONFLICT ON CONSTRAINT allocations_resource_during_excl DO NOTHING RETURNING 1
), counted AS MATERIALIZED (
    SELECT count(*)::integer AS n FROM claimed
), verdict AS MATERIALIZED (
    SELECT c.n, CASE WHEN i.outcome <> 'free' THEN i.outcome
                WHEN c.n = 0 THEN 'repeat' ELSE 'confirmed' END AS outcome
      FROM inspected i CROSS JOIN counted c
), record AS (
    INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, booking_id,
           rows, snapshot)
    SELECT $1, $10, 'book', $11, $12, v.outcome,
           CASE WHEN v.outcome = 'confirmed' OR EXISTS (SELECT FROM booking) THEN $9::uuid END,
           CASE WHEN v.outcome <> 'confirmed' THEN 0 WHEN v.n = cardinality($3::uuid[]) THEN v.n ELSE -1 END,
           $13::jsonb || jsonb_build_object('at', statement_timestamp(),
               'resources', (
                   SELECT jsonb_agg(jsonb_build_object('id', w.resource_id, 'kind', w.kind,
                              'capacity', w.capacity, 'min_party', w.min_party)
                              ORDER BY w.resource_id, w.during)
                     FROM wanted w),
               'allocations', CASE WHEN v.outcome = 'confirmed' THEN (
                   SELECT jsonb_agg(jsonb_build_object('id', w.id, 'resource', w.resource_id, 'window',
                              jsonb_build_object('start', lower(w.during), 'end', upper(w.during)))
                              ORDER BY w.resource_id, w.during)
                     FROM wanted w) END,
               'booking', (
                   SELECT jsonb_build_object('id', $9::uuid, 'status', b.status, 'revision', b.revision,
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
    INSERT INTO slotkeeper.bookings AS x (tenant_id, id, status, revision, during, buffer_before_seconds,
           buffer_after_seconds, claim_id, confirmation_id, reference, customer_ref, price_minor, currency,
           time_zone, metadata, history)
    SELECT $1, $9, 'confirmed', 1, $6, $7, $8, $2, r.id, $14, $15, $16, $17, $18, $19,
           jsonb_build_array(jsonb_build_object('revision', 1, 'status', 'confirmed', 'window',
               jsonb_build_object('start', lower($6::tstzrange), 'end', upper($6::tstzrange)),
               'confirmation', r.id, 'changed_at', statement_timestamp()))
      FROM record r WHERE r.outcome = 'confirmed'
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
     WHERE $20 AND x.status = 'pending' RETURNING x.revision
), event AS (
    -- One booking less than it tells of, if its key or id was taken meanwhile: then all rolls back.
    INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body, rows)
    SELECT $1, $10, 'booking.confirmed', $9, jsonb_build_object('booking', $9::uuid, 'revision',
               (SELECT w.revision FROM booking_written w), 'confirmation', $10::uuid),
           (SELECT count(*) - 1 FROM booking_written)
      FROM verdict v WHERE v.outcome = 'confirmed' RETURNING 1
)
SELECT CASE WHEN p.id IS NOT NULL THEN CASE WHEN p.checksum = $12 THEN 'replayed' ELSE 'key_reused' END
            WHEN v.outcome = 'not_found' THEN 'not_found'
            WHEN r.id IS NULL THEN 'repeat' ELSE 'recorded' END AS outcome,
       coalesce(p.outcome, r.outcome) AS recorded, coalesce(p.id, r.id) AS id,
       coalesce(p.booking_id, r.booking_id) AS booking_id, coalesce(p.snapshot, r.snapshot) AS snapshot,
       coalesce(p.decided_at, r.decided_at) AS decided_at,
       CASE WHEN v.outcome = 'not_found' THEN ARRAY(
           SELECT u.id FROM unnest($3::uuid[]) u (id)
            WHERE u.id NOT IN (SELECT w.resource_id FROM wanted w)) END AS missing
  FROM verdict v LEFT JOIN record r ON true LEFT JOIN prior p ON true
