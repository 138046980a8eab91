-- audit.decision_effect
-- Decisions that changed a booking and are not exactly one element of its history, and decisions that changed
-- nothing and are. Cancelling a cancelled booking changes nothing. Of a booking that is gone the last
-- decision is judged: retention forgets a booking only when it is over.
WITH element AS (
    SELECT b.tenant_id, (e->>'confirmation')::uuid AS id, count(*) AS times
      FROM slotkeeper.bookings b
     CROSS JOIN jsonb_array_elements(CASE jsonb_typeof(b.history) WHEN 'array' THEN b.history ELSE '[]' END) e
     WHERE e->>'confirmation' IS NOT NULL GROUP BY b.tenant_id, e->>'confirmation'
), decision AS MATERIALIZED (
    SELECT c.tenant_id, c.id, c.booking_id, c.decided_at, b.id IS NOT NULL AS known,
           coalesce(e.times, 0) AS times,
           (c.outcome IN ('confirmed', 'moved')
            OR (c.outcome = 'cancelled'
                AND c.snapshot->'booking'->>'status' IS DISTINCT FROM 'cancelled'))::integer AS due,
           CASE WHEN b.id IS NULL THEN c.snapshot END AS snapshot
      FROM slotkeeper.confirmations c
      LEFT JOIN element e ON e.tenant_id = c.tenant_id AND e.id = c.id
      LEFT JOIN slotkeeper.bookings b ON b.tenant_id = c.tenant_id AND b.id = c.booking_id
)
SELECT d.tenant_id, d.id FROM decision d WHERE (d.known OR d.due = 0) AND d.times <> d.due
 UNION ALL
SELECT l.tenant_id, l.id
  FROM (SELECT DISTINCT ON (d.tenant_id, d.booking_id) d.tenant_id, d.id, d.snapshot
          FROM decision d WHERE d.due = 1 AND NOT d.known
         ORDER BY d.tenant_id, d.booking_id, d.decided_at DESC, d.id DESC) l
 CROSS JOIN bounds t
 WHERE coalesce((
       SELECT max((x->'window'->>'end')::timestamptz)
         FROM jsonb_array_elements(jsonb_path_query_array(l.snapshot, '$.allocations[*]')
              || jsonb_build_array(l.snapshot->'booking')) x) > t.now, true)
