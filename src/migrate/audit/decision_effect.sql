-- audit.decision_effect
-- Decisions that changed a booking and are not exactly one element of its history, and decisions that changed nothing and
-- are. Cancelling a cancelled booking changes nothing. A booking whose time is over may be in an archive.
WITH element AS (
    SELECT b.tenant_id, e->>'confirmation' AS id, count(*) AS times
      FROM slotkeeper.bookings b
     CROSS JOIN jsonb_array_elements(CASE jsonb_typeof(b.history) WHEN 'array' THEN b.history ELSE '[]' END) e
     WHERE e->>'confirmation' IS NOT NULL GROUP BY b.tenant_id, e->>'confirmation'
)
SELECT c.tenant_id, c.id
  FROM (SELECT c.tenant_id, c.id, c.booking_id, c.snapshot,
               c.outcome IN ('confirmed', 'moved')
               OR (c.outcome = 'cancelled' AND c.snapshot->'booking'->>'status' IS DISTINCT FROM 'cancelled') AS changed
          FROM slotkeeper.confirmations c) c
 CROSS JOIN bounds t
  LEFT JOIN element e ON e.tenant_id = c.tenant_id AND e.id = c.id::text
  LEFT JOIN slotkeeper.bookings b ON b.tenant_id = c.tenant_id AND b.id = c.booking_id
 WHERE CASE WHEN c.changed AND b.id IS NULL THEN coalesce((
                SELECT max((x->'window'->>'end')::timestamptz)
                  FROM jsonb_array_elements(jsonb_path_query_array(c.snapshot, '$.allocations[*]')
                       || jsonb_build_array(c.snapshot->'booking')) x) > t.now, true)
            ELSE coalesce(e.times, 0) <> c.changed::integer END
