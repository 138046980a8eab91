-- booking.erase
-- Clears a person everywhere: the customer reference with what the host hung on the bookings, and the actor
-- of holds. The record says how many rows, never whose.
-- Recorded: erased. Not recorded: replayed, key_reused, repeat.
-- $1 tenant  $2 customer  $3 confirmation  $4 key  $5 checksum  $6 record
WITH prior AS MATERIALIZED (
    SELECT c.id, c.checksum, c.outcome, c.booking_id, c.snapshot, c.decided_at FROM slotkeeper.confirmations c
     WHERE c.tenant_id = $1 AND c.operation = 'erase' AND c.key = $4
), customer_bookings AS MATERIALIZED (
    SELECT b.id FROM slotkeeper.bookings b
     WHERE b.tenant_id = $1 AND b.customer_ref = $2 AND NOT EXISTS (SELECT FROM prior)
     ORDER BY b.id FOR UPDATE
), customer_holds AS MATERIALIZED (
    SELECT h.id FROM slotkeeper.holds h
     WHERE h.tenant_id = $1 AND h.actor = $2 AND NOT EXISTS (SELECT FROM prior)
       AND (SELECT count(*) FROM customer_bookings) >= 0
     ORDER BY h.id FOR UPDATE
), verdict AS MATERIALIZED (
    SELECT CASE WHEN EXISTS (SELECT FROM prior) THEN 'replayed' ELSE 'erased' END AS outcome
), record AS (
    INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, booking_id,
           rows, snapshot)
    SELECT $1, $3, 'erase', $4, $5, v.outcome, NULL, 0,
           $6::jsonb || jsonb_build_object('at', statement_timestamp(),
               'erased', (SELECT count(*) FROM customer_bookings),
               'erased_holds', (SELECT count(*) FROM customer_holds))
      FROM verdict v WHERE v.outcome = 'erased'
    ON CONFLICT ON CONSTRAINT confirmations_key_key DO NOTHING
    RETURNING id, outcome, booking_id, snapshot, decided_at
), booking_written AS (
    UPDATE slotkeeper.bookings x SET customer_ref = NULL, metadata = '{}', updated_at = statement_timestamp()
      FROM customer_bookings b CROSS JOIN record r WHERE x.tenant_id = $1 AND x.id = b.id RETURNING 1
), hold_written AS (
    UPDATE slotkeeper.holds x SET actor = NULL, actor_seq = NULL
      FROM customer_holds h CROSS JOIN record r WHERE x.tenant_id = $1 AND x.id = h.id RETURNING 1
), event AS (
    INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body)
    SELECT $1, r.id, 'customer.erased', r.id, jsonb_build_object('confirmation', r.id)
      FROM record r RETURNING 1
)
SELECT CASE WHEN p.id IS NOT NULL THEN CASE WHEN p.checksum = $5 THEN 'replayed' ELSE 'key_reused' END
            WHEN v.outcome = 'not_found' THEN 'not_found'
            WHEN r.id IS NULL THEN 'repeat' ELSE 'recorded' END AS outcome,
       coalesce(p.outcome, r.outcome) AS recorded, coalesce(p.id, r.id) AS id,
       coalesce(p.booking_id, r.booking_id) AS booking_id, coalesce(p.snapshot, r.snapshot) AS snapshot,
       coalesce(p.decided_at, r.decided_at) AS decided_at
  FROM verdict v LEFT JOIN record r ON true LEFT JOIN prior p ON true
