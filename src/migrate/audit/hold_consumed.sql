-- audit.hold_consumed
-- Consumed holds without a booking, unless their time is over and the booking may be in an archive; and holds that were
-- not consumed although a booking has their claim.
SELECT h.tenant_id, h.id
  FROM slotkeeper.holds h CROSS JOIN bounds t
  LEFT JOIN slotkeeper.bookings b ON b.tenant_id = h.tenant_id AND b.claim_id = h.id
 WHERE CASE h.status WHEN 'consumed' THEN b.id IS NULL
                      AND upper(h.during) + make_interval(secs => h.buffer_after_seconds) > t.now
            ELSE b.id IS NOT NULL END
