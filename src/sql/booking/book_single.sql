-- booking.book_single
-- One resource, a booking id minted by the library: claims and confirms in one step, and looks only if the
-- claim came to nothing. Cannot raise on a refusal; raises claimed_rows_check only if another request with
-- this very key is being recorded at this moment.
-- Recorded: confirmed, conflict. Not recorded: replayed, key_reused. No row: booking.book tells or does more.
-- So it is with expired rows in the way, which it takes over in a safe order; with a race lost to a row that
-- this snapshot cannot see; and with a resource that is not sold.
-- $1 tenant  $2 claim  $3 resource  $4 blocked window  $5 allocation  $6 visible window
-- $7 buffer before, s  $8 buffer after, s  $9 booking  $10 confirmation  $11 key  $12 checksum  $13 record
-- $14 reference  $15 customer  $16 price, minor units  $17 currency  $18 time zone  $19 metadata
WITH prior AS MATERIALIZED (
    SELECT c.id, c.checksum, c.outcome, c.booking_id, c.snapshot, c.decided_at FROM slotkeeper.confirmations c
     WHERE c.tenant_id = $1 AND c.operation = 'book' AND c.key = $11
), resource AS MATERIALIZED (
    SELECT r.id, r.kind, r.capacity, r.min_party FROM slotkeeper.resources r
     WHERE r.tenant_id = $1 AND r.id = $3 AND r.active AND NOT EXISTS (SELECT FROM prior)
), claimed AS (
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
    SELECT $1, $5, r.id, $4, 'booked', $2 FROM resource r
       -- No constraint guards shadow rows.
     WHERE NOT EXISTS (
           SELECT FROM slotkeeper.allocations a
            WHERE a.tenant_id = $1 AND a.resource_id = $3 AND a.during && (SELECT $4::tstzrange)
              AND a.released_at IS NULL AND a.shadow)
    ON CONFLICT ON CONSTRAINT allocations_resource_during_excl DO NOTHING RETURNING 1
), record AS (
    INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, booking_id,
           rows, snapshot)
    SELECT $1, $10, 'book', $11, $12, CASE WHEN c.n = 1 THEN 'confirmed' ELSE 'conflict' END,
           CASE WHEN c.n = 1 THEN $9::uuid END, c.n,
           $13::jsonb || jsonb_build_object('at', statement_timestamp(),
               'resources', jsonb_build_array(jsonb_build_object('id', r.id, 'kind', r.kind,
                   'capacity', r.capacity, 'min_party', r.min_party)),
               'allocations', CASE WHEN c.n = 1 THEN jsonb_build_array(jsonb_build_object(
                   'id', $5::uuid, 'resource', r.id, 'window',
                   jsonb_build_object('start', lower($4::tstzrange), 'end', upper($4::tstzrange)))) END,
               'blockers', l.blockers)
      FROM resource r CROSS JOIN (SELECT count(*)::integer AS n FROM claimed) c
      LEFT JOIN LATERAL (
           -- The parameters are hidden: seen by the planner, they make it prefer a plan of its own for every
           -- call.
           SELECT jsonb_agg(jsonb_build_object('allocation', b.id, 'resource', $3::uuid, 'kind', b.kind,
                      'overlap', jsonb_build_object('start', lower(b.overlap), 'end', upper(b.overlap))))
                  AS blockers
             FROM (SELECT a.id, a.kind, a.during * (SELECT $4::tstzrange) AS overlap
                     FROM slotkeeper.allocations a
                    WHERE c.n = 0 AND a.tenant_id = (SELECT $1::uuid) AND a.resource_id = r.id
                      AND a.during && (SELECT $4::tstzrange) AND a.released_at IS NULL AND NOT a.shadow
                      AND (a.expires_at IS NULL OR a.expires_at > statement_timestamp())
                    ORDER BY a.during LIMIT 64) b) l ON true
     WHERE c.n = 1 OR l.blockers IS NOT NULL
    ON CONFLICT ON CONSTRAINT confirmations_key_key DO NOTHING
    RETURNING id, outcome, booking_id, snapshot, decided_at
), booking_written AS (
    INSERT INTO slotkeeper.bookings (tenant_id, id, status, revision, during, buffer_before_seconds,
           buffer_after_seconds, claim_id, confirmation_id, reference, customer_ref, price_minor, currency,
           time_zone, metadata, history)
    SELECT $1, $9, 'confirmed', 1, $6, $7, $8, $2, r.id, $14, $15, $16, $17, $18, $19,
           jsonb_build_array(jsonb_build_object('revision', 1, 'status', 'confirmed', 'window',
               jsonb_build_object('start', lower($6::tstzrange), 'end', upper($6::tstzrange)),
               'confirmation', r.id, 'changed_at', statement_timestamp()))
      FROM record r WHERE r.booking_id IS NOT NULL RETURNING 1
), event AS (
    -- One booking less than it tells of, if the key was taken meanwhile: then all rolls back.
    INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body, rows)
    SELECT $1, $10, 'booking.confirmed', $9, jsonb_build_object('booking', $9::uuid, 'revision', 1,
               'confirmation', $10::uuid), (SELECT count(*) - 1 FROM booking_written)
      FROM claimed RETURNING 1
)
SELECT CASE WHEN p.checksum = $12 THEN 'replayed' ELSE 'key_reused' END AS outcome, p.outcome AS recorded,
       p.id, p.booking_id, p.snapshot, p.decided_at
  FROM prior p
 UNION ALL
SELECT 'recorded', r.outcome, r.id, r.booking_id, r.snapshot, r.decided_at FROM record r
