-- audit.allocation_mark
-- Rows whose mark for repair and its instant do not agree: what marks rows writes both, so one was set by
-- hand. The instant is not before the row was there, and not to come. A minute is for the clock of a standby.
SELECT a.tenant_id, a.id
  FROM (SELECT a.tenant_id, a.id, a.shadow, a.shadowed_at, a.created_at FROM slotkeeper.allocations a
         UNION ALL
        SELECT a.tenant_id, a.id, a.shadow, a.shadowed_at, a.created_at
          FROM slotkeeper.allocations_archive a) a
 CROSS JOIN bounds t
 WHERE a.shadow IS DISTINCT FROM (a.shadowed_at IS NOT NULL)
    OR a.shadowed_at < a.created_at OR a.shadowed_at > t.now + interval '1 minute'
