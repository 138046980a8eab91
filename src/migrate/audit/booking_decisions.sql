-- audit.booking_decisions
-- Bookings with a revision whose decision is missing though records of its age are kept, or is another booking's, of
-- another moment, or a refusal.
SELECT DISTINCT b.tenant_id, b.id
  FROM slotkeeper.bookings b CROSS JOIN bounds t
 CROSS JOIN jsonb_array_elements(CASE jsonb_typeof(b.history) WHEN 'array' THEN b.history ELSE '[]' END) e
  LEFT JOIN slotkeeper.confirmations c ON c.tenant_id = b.tenant_id AND c.id::text = e->>'confirmation'
 WHERE e->>'confirmation' IS NOT NULL
   AND CASE WHEN c.id IS NULL THEN coalesce((e->>'changed_at')::timestamptz >= t.kept_since, true)
            ELSE c.booking_id IS DISTINCT FROM b.id OR (e->>'changed_at')::timestamptz IS DISTINCT FROM c.decided_at
              OR c.outcome NOT IN ('cancelled', 'confirmed', 'moved')
              OR (e->>'status' = 'cancelled') <> (c.outcome = 'cancelled') END
