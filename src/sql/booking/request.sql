-- booking.request
-- A pending booking: waits for approval and claims nothing. Outcomes: requested, replayed.
-- $1 tenant  $2 booking  $3 window  $4 reference  $5 customer  $6 price, minor units  $7 currency  $8 time zone
-- $9 metadata
WITH bk AS (
    INSERT INTO slotkeeper.bookings (tenant_id, id, status, revision, during, buffer_before_seconds, buffer_after_seconds,
           reference, customer_ref, price_minor, currency, time_zone, metadata, history)
    VALUES ($1, $2, 'pending', 1, $3, 0, 0, $4, $5, $6, $7, $8, $9,
           jsonb_build_array(jsonb_build_object('revision', 1, 'status', 'pending', 'window',
               jsonb_build_object('start', lower($3::tstzrange), 'end', upper($3::tstzrange)), 'confirmation', NULL::uuid,
               'changed_at', statement_timestamp())))
    ON CONFLICT ON CONSTRAINT bookings_pkey DO NOTHING RETURNING id
)
SELECT CASE WHEN EXISTS (SELECT FROM bk) THEN 'requested' ELSE 'replayed' END AS outcome
