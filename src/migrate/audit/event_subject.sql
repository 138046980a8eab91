-- audit.event_subject
-- Events of bookings, where they still wait for the relay, that tell of a revision the booking does not have
-- by that decision. Retention may have forgotten the booking, but not within a day of the event.
SELECT o.tenant_id, o.id
  FROM slotkeeper.outbox o CROSS JOIN bounds t
  LEFT JOIN slotkeeper.bookings b ON b.tenant_id = o.tenant_id AND b.id = o.subject_id
 WHERE starts_with(o.event, 'booking.')
   AND CASE WHEN b.id IS NULL THEN o.created_at > t.now - interval '1 day'
            ELSE (b.history->((o.body->>'revision')::integer - 1)->>'confirmation')
                 IS DISTINCT FROM o.id::text END
