-- booking.request
-- A pending booking: waits for approval and claims nothing. Repeating answers the same whatever became of it
-- since.
-- Outcomes: requested, replayed, repeat; another request under this id: other_booking, other_window,
-- other_details.
-- $1 tenant  $2 booking  $3 window  $4 reference  $5 customer  $6 price, minor units  $7 currency  $8 time zone
-- $9 metadata
WITH booking_written AS (
    INSERT INTO slotkeeper.bookings (tenant_id, id, status, revision, during, buffer_before_seconds, buffer_after_seconds,
           reference, customer_ref, price_minor, currency, time_zone, metadata, history)
    VALUES ($1, $2, 'pending', 1, $3, 0, 0, $4, $5, $6, $7, $8, $9,
           jsonb_build_array(jsonb_build_object('revision', 1, 'status', 'pending', 'window',
               jsonb_build_object('start', lower($3::tstzrange), 'end', upper($3::tstzrange)), 'confirmation', NULL::uuid,
               'changed_at', statement_timestamp())))
    ON CONFLICT ON CONSTRAINT bookings_pkey DO NOTHING RETURNING id
), stored AS (
    SELECT b.history->0->>'status' AS status,
           tstzrange((b.history->0->'window'->>'start')::timestamptz, (b.history->0->'window'->>'end')::timestamptz) AS during,
           -- What it carries is replaced when it is approved and cleared when its customer is: comparable
           -- until then.
           b.updated_at > b.created_at
           OR (b.reference, b.customer_ref, b.price_minor, b.currency, b.time_zone, b.metadata)
              IS NOT DISTINCT FROM ($4, $5, $6::bigint, $7::char(3), $8, $9::jsonb) AS same
      FROM slotkeeper.bookings b WHERE b.tenant_id = $1 AND b.id = $2
)
-- Neither: a twin committed while this statement waited for it, so only the next one sees its row.
SELECT CASE WHEN EXISTS (SELECT FROM booking_written) THEN 'requested' WHEN s.status IS NULL THEN 'repeat'
            WHEN s.status <> 'pending' THEN 'other_booking' WHEN s.during <> $3 THEN 'other_window'
            WHEN NOT s.same THEN 'other_details' ELSE 'replayed' END AS outcome
  FROM (SELECT) one LEFT JOIN stored s ON true
