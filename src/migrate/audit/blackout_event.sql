-- audit.blackout_event
-- Blackouts that are not what their event, where it still waits for the relay, says: a place is missing or
-- another.
SELECT DISTINCT o.tenant_id, o.subject_id
  FROM slotkeeper.outbox o CROSS JOIN bounds t
 CROSS JOIN jsonb_array_elements(
       CASE jsonb_typeof(o.body->'allocations') WHEN 'array' THEN o.body->'allocations' ELSE '[{}]' END) e
  LEFT JOIN (SELECT a.tenant_id, a.id, a.claim_id, a.kind, a.resource_id, a.during
               FROM slotkeeper.allocations a
              UNION ALL
             SELECT a.tenant_id, a.id, a.claim_id, a.kind, a.resource_id, a.during
               FROM slotkeeper.allocations_archive a) a
    ON a.tenant_id = o.tenant_id AND a.id = (e->>'id')::uuid
 WHERE o.event = 'blackout.blocked'
   AND CASE WHEN a.id IS NULL THEN coalesce((e->'window'->>'end')::timestamptz > t.now, true)
            ELSE a.claim_id <> o.subject_id OR a.kind <> 'blackout'
              OR a.resource_id::text IS DISTINCT FROM e->>'resource'
              OR lower(a.during) IS DISTINCT FROM (e->'window'->>'start')::timestamptz
              OR upper(a.during) IS DISTINCT FROM (e->'window'->>'end')::timestamptz END
