-- audit.hold_places
-- Unexpired active holds that lack a place or have one too many, or whose places, less the buffers, are not
-- the window the customer was shown. The places of an expired hold may have been taken over or swept.
SELECT h.tenant_id, h.id
  FROM slotkeeper.holds h CROSS JOIN bounds t
  LEFT JOIN (SELECT a.tenant_id, a.claim_id, count(*) AS rows, min(lower(a.during)) AS first,
                    max(upper(a.during)) AS last
               FROM slotkeeper.allocations a WHERE a.released_at IS NULL AND a.kind = 'held'
              GROUP BY a.tenant_id, a.claim_id) p ON p.tenant_id = h.tenant_id AND p.claim_id = h.id
 WHERE h.status = 'active' AND h.expires_at > t.now
   AND (p.rows IS DISTINCT FROM h.rows
        OR p.first + make_interval(secs => h.buffer_before_seconds) IS DISTINCT FROM lower(h.during)
        OR p.last - make_interval(secs => h.buffer_after_seconds) IS DISTINCT FROM upper(h.during))
