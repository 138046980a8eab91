-- audit.booking_history
-- Bookings whose history is not one element a revision, numbered from 1, pending only at first and cancelled
-- only at last, each but the pending one by a decision, or that are not what its last element says, or whose
-- claim and confirmation are not those of the first element that confirmed them.
SELECT b.tenant_id, b.id
  FROM slotkeeper.bookings b
 CROSS JOIN LATERAL (
       SELECT count(*) AS elements,
              bool_and(coalesce(e->>'revision' = h.at::text
                       AND e->>'status' IN ('pending', 'confirmed', 'cancelled')
                       AND (e->>'status' <> 'pending' OR h.at = 1)
                       AND (e->>'status' <> 'cancelled' OR h.at = b.revision)
                       AND (e->>'status' = 'pending') = (e->>'confirmation' IS NULL), false)) AS sound,
              (array_agg(e->>'confirmation' ORDER BY h.at) FILTER (WHERE e->>'status' = 'confirmed'))[1]
                  AS confirmation
         FROM jsonb_array_elements(CASE jsonb_typeof(b.history) WHEN 'array' THEN b.history ELSE '[]' END)
              WITH ORDINALITY AS h (e, at)) h
 WHERE h.elements <> b.revision OR h.sound IS NOT TRUE
    OR b.history->-1->>'status' IS DISTINCT FROM b.status
    OR (b.history->-1->'window'->>'start')::timestamptz IS DISTINCT FROM lower(b.during)
    OR (b.history->-1->'window'->>'end')::timestamptz IS DISTINCT FROM upper(b.during)
    OR h.confirmation IS DISTINCT FROM b.confirmation_id::text
    OR (b.claim_id IS NULL) <> (b.confirmation_id IS NULL)
