-- audit.booking_places
-- Confirmed bookings that do not hold the very places their last decision (confirm, book or move) recorded.
-- Places whose time is over may be in the archive, and may be gone from there. Of a booking moved since, the
-- archive keeps them all.
WITH decided AS MATERIALIZED (
    SELECT b.tenant_id, b.id, b.claim_id, c.snapshot->'allocations' AS places
      FROM slotkeeper.bookings b
      JOIN slotkeeper.confirmations c
        ON c.tenant_id = b.tenant_id AND c.id = (b.history->-1->>'confirmation')::uuid
     WHERE b.status = 'confirmed'
), place AS (
    SELECT d.tenant_id, d.id AS booking, d.claim_id, (e->>'id')::uuid AS id, e->>'resource' AS resource,
           (e->'window'->>'start')::timestamptz AS first, (e->'window'->>'end')::timestamptz AS last
      FROM decided d CROSS JOIN jsonb_array_elements(
           CASE jsonb_typeof(d.places) WHEN 'array' THEN d.places ELSE '[]' END) e
), live AS (
    SELECT d.tenant_id, d.id AS booking, a.claim_id, a.id, a.resource_id, a.during
      FROM decided d
      JOIN (SELECT a.tenant_id, a.claim_id, a.id, a.resource_id, a.during FROM slotkeeper.allocations a
             WHERE a.released_at IS NULL AND a.kind = 'booked'
             UNION ALL
            SELECT a.tenant_id, a.claim_id, a.id, a.resource_id, a.during
              FROM slotkeeper.allocations_archive a
             WHERE a.released_at IS NULL AND a.kind = 'booked'
               AND upper(a.during) > (SELECT t.now FROM bounds t)) a
        ON a.tenant_id = d.tenant_id AND a.claim_id = d.claim_id
)
SELECT DISTINCT coalesce(p.tenant_id, l.tenant_id), coalesce(p.booking, l.booking)
  FROM place p FULL JOIN live l ON l.tenant_id = p.tenant_id AND l.booking = p.booking AND l.id = p.id
 WHERE CASE WHEN p.id IS NULL THEN true
            WHEN l.id IS NULL THEN coalesce(p.last > (SELECT t.now FROM bounds t), true)
            ELSE l.resource_id::text IS DISTINCT FROM p.resource OR lower(l.during) IS DISTINCT FROM p.first
              OR upper(l.during) IS DISTINCT FROM p.last END
