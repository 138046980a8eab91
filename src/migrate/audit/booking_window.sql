-- audit.booking_window
-- Confirmed bookings whose places, less the buffers, are not the window the customer was shown. Once a
-- booking has begun, some of its places may be in the archive and gone from there: then the rest must lie
-- within the window. What the archive has of the past is not looked at: a booking moved since leaves its old
-- places there.
SELECT b.tenant_id, b.id
  FROM (SELECT b.tenant_id, b.id, b.claim_id,
               lower(b.during) - make_interval(secs => b.buffer_before_seconds) AS first,
               upper(b.during) + make_interval(secs => b.buffer_after_seconds) AS last
          FROM slotkeeper.bookings b WHERE b.status = 'confirmed') b
 CROSS JOIN bounds t
  LEFT JOIN (SELECT a.tenant_id, a.claim_id, min(lower(a.during)) AS first, max(upper(a.during)) AS last
               FROM (SELECT a.tenant_id, a.claim_id, a.during FROM slotkeeper.allocations a
                      WHERE a.released_at IS NULL AND a.kind = 'booked'
                      UNION ALL
                     SELECT a.tenant_id, a.claim_id, a.during FROM slotkeeper.allocations_archive a
                      WHERE a.released_at IS NULL AND a.kind = 'booked'
                        AND upper(a.during) > (SELECT t.now FROM bounds t)) a
              GROUP BY a.tenant_id, a.claim_id) p ON p.tenant_id = b.tenant_id AND p.claim_id = b.claim_id
 WHERE CASE WHEN b.first > t.now THEN (p.first, p.last) IS DISTINCT FROM (b.first, b.last)
            ELSE p.first < b.first OR p.last > b.last END
