-- booking.book_single
-- One resource, a booking id minted by the library: claims and confirms in one step. Cannot raise on a
-- refusal; raises outbox_claimed_check only if another request with this very key is being recorded at this
-- moment: repeat.
-- Recorded: confirmed, conflict. Not recorded: replayed, key_reused, not_found, repeat;
-- use_many: more than one expired row is in the way, which booking.book takes over in a safe order.
-- $1 tenant  $2 claim  $3 resource  $4 blocked window  $5 allocation  $6 visible window
-- $7 buffer before, s  $8 buffer after, s  $9 booking  $10 confirmation  $11 key  $12 checksum  $13 record
-- $14 reference  $15 customer  $16 price, minor units  $17 currency  $18 time zone  $19 metadata
WITH prior AS MATERIALIZED (
    SELECT c.id, c.checksum, c.outcome, c.booking_id, c.snapshot, c.decided_at FROM slotkeeper.confirmations c
     WHERE c.tenant_id = $1 AND c.operation = 'book' AND c.key = $11
), seen AS MATERIALIZED (
    SELECT a.id, a.kind, a.during * $4 AS overlap,
           coalesce(a.expires_at <= statement_timestamp(), false) AS stale
      FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.resource_id = $3 AND a.during && $4 AND a.released_at IS NULL AND NOT a.shadow
     UNION ALL
    SELECT a.id, a.kind, a.during * $4, coalesce(a.expires_at <= statement_timestamp(), false)
      FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.resource_id = $3 AND a.during && $4 AND a.released_at IS NULL AND a.shadow
), inspected AS MATERIALIZED (
    -- One expired row may be taken over here: with more, two claims could lock them in different orders.
    SELECT s.live, s.stale, s.one, r.id, r.kind, r.capacity, r.min_party
      FROM (SELECT count(*) FILTER (WHERE NOT stale) AS live, count(*) FILTER (WHERE stale) AS stale,
                   (array_agg(id))[1] AS one FROM seen) s
     CROSS JOIN slotkeeper.resources r
     WHERE r.tenant_id = $1 AND r.id = $3 AND r.active AND NOT EXISTS (SELECT FROM prior)
), freed AS (
    UPDATE slotkeeper.allocations a SET released_at = statement_timestamp() FROM inspected i
     WHERE i.live = 0 AND i.stale = 1 AND a.tenant_id = $1 AND a.id = i.one AND a.released_at IS NULL
       AND a.expires_at <= statement_timestamp()
       -- Whoever takes a row over has its resource first, or a claim of several windows of it can wait for us
       -- and we for it.
       AND EXISTS (SELECT FROM slotkeeper.resources r WHERE r.tenant_id = $1 AND r.id = i.id FOR NO KEY UPDATE)
    RETURNING 1
), claimed AS (
    -- Reads from `freed`: without that the order of the two is undefined and the place is lost.
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
    SELECT $1, $5, i.id, $4, 'booked', $2 FROM inspected i CROSS JOIN (SELECT count(*) FROM freed) f
     WHERE i.live = 0 AND i.stale <= 1
    ON CONFLICT ON CONSTRAINT allocations_resource_during_excl DO NOTHING RETURNING 1
), verdict AS MATERIALIZED (
    SELECT c.n, CASE WHEN c.n = 1 THEN 'confirmed' WHEN i.live > 0 THEN 'conflict'
                WHEN i.stale > 1 THEN 'use_many' ELSE 'repeat' END AS outcome, i.kind, i.capacity, i.min_party
      FROM inspected i CROSS JOIN (SELECT count(*)::integer AS n FROM claimed) c
), record AS (
    INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, booking_id,
           requested, claimed, snapshot)
    SELECT $1, $10, 'book', $11, $12, v.outcome, CASE WHEN v.n = 1 THEN $9::uuid END, v.n, v.n,
           $13::jsonb || jsonb_build_object('at', statement_timestamp(),
               'resources', jsonb_build_array(jsonb_build_object('id', $3::uuid, 'kind', v.kind, 'capacity', v.capacity,
                   'min_party', v.min_party)),
               'allocations', CASE WHEN v.n = 1 THEN jsonb_build_array(jsonb_build_object(
                   'id', $5::uuid, 'resource', $3::uuid, 'window',
                   jsonb_build_object('start', lower($4::tstzrange), 'end', upper($4::tstzrange)))) END,
               'blockers', CASE WHEN v.n = 0 THEN (
                   SELECT jsonb_agg(jsonb_build_object('allocation', b.id, 'resource', $3::uuid, 'kind', b.kind,
                              'overlap', jsonb_build_object('start', lower(b.overlap), 'end', upper(b.overlap))))
                     FROM (SELECT * FROM seen s WHERE NOT s.stale ORDER BY s.overlap LIMIT 64) b) END)
      FROM verdict v WHERE v.outcome IN ('confirmed', 'conflict')
    ON CONFLICT ON CONSTRAINT confirmations_key_key DO NOTHING
    RETURNING id, outcome, booking_id, snapshot, decided_at
), booking_written AS (
    INSERT INTO slotkeeper.bookings (tenant_id, id, status, revision, during, buffer_before_seconds,
           buffer_after_seconds, claim_id, confirmation_id, reference, customer_ref, price_minor, currency, time_zone,
           metadata, history)
    SELECT $1, $9, 'confirmed', 1, $6, $7, $8, $2, r.id, $14, $15, $16, $17, $18, $19,
           jsonb_build_array(jsonb_build_object('revision', 1, 'status', 'confirmed', 'window',
               jsonb_build_object('start', lower($6::tstzrange), 'end', upper($6::tstzrange)), 'confirmation', r.id,
               'changed_at', statement_timestamp()))
      FROM record r WHERE r.booking_id IS NOT NULL RETURNING 1
), event AS (
    -- Counts the booking it tells of: zero if the key was taken meanwhile, and then the check rolls the claim
    -- back.
    INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body, requested, claimed)
    SELECT $1, $10, 'booking.confirmed', $9, jsonb_build_object('booking', $9::uuid, 'revision', 1,
               'confirmation', $10::uuid), 1, (SELECT count(*) FROM booking_written)
      FROM verdict v WHERE v.n = 1 RETURNING 1
)
SELECT CASE WHEN p.id IS NOT NULL THEN CASE WHEN p.checksum = $12 THEN 'replayed' ELSE 'key_reused' END
            WHEN v.outcome IS NULL THEN 'not_found' WHEN r.id IS NOT NULL THEN 'recorded' WHEN v.outcome = 'use_many' THEN 'use_many' ELSE 'repeat' END AS outcome,
       coalesce(p.outcome, r.outcome) AS recorded, coalesce(p.id, r.id) AS id,
       coalesce(p.booking_id, r.booking_id) AS booking_id, coalesce(p.snapshot, r.snapshot) AS snapshot,
       coalesce(p.decided_at, r.decided_at) AS decided_at, ARRAY[$3::uuid] AS missing
  FROM (SELECT) one LEFT JOIN verdict v ON true LEFT JOIN record r ON true LEFT JOIN prior p ON true
