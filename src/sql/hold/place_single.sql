-- hold.place_single
-- One resource, no limit per actor: claims first, and looks only if that came to nothing. Cannot raise on a
-- refusal. Scalars, because one generic plan then serves every call.
-- Outcomes: placed, replayed, conflict. None: hold.place tells or does more. So it is with expired rows in
-- the way, which it takes over in a safe order; with a race lost to a row that this snapshot cannot see; and
-- with a resource or an id that is not what it should be.
-- $1 tenant  $2 hold  $3 resource  $4 blocked window  $5 allocation  $6 visible window
-- $7 buffer before, s  $8 buffer after, s  $9 ttl, µs  $10 longest life, µs  $11 actor  $12 reference
WITH resource AS MATERIALIZED (
    -- None either if the id is a booking's, or was that of rows now archived. What else has it stops the
    -- claim.
    SELECT r.id FROM slotkeeper.resources r
     WHERE r.tenant_id = $1 AND r.id = $3 AND r.active
       AND NOT EXISTS (SELECT FROM slotkeeper.bookings c WHERE c.tenant_id = $1 AND c.claim_id = $2)
       AND NOT EXISTS (
           SELECT FROM slotkeeper.allocations_archive c WHERE c.tenant_id = $1 AND c.claim_id = $2)
), claimed AS (
    -- Without a target: the allocation's id follows from the hold's, so a second use of that id stops here as
    -- well, and asking for it beforehand would cost a look of its own.
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, expires_at)
    SELECT $1, $5, r.id, $4, 'held', $2, statement_timestamp() + $9::bigint * interval '1 microsecond'
      FROM resource r
       -- No constraint guards shadow rows.
     WHERE NOT EXISTS (
           SELECT FROM slotkeeper.allocations a
            WHERE a.tenant_id = $1 AND a.resource_id = $3 AND a.during && (SELECT $4::tstzrange)
              AND a.released_at IS NULL AND a.shadow)
    ON CONFLICT DO NOTHING RETURNING expires_at
), hold_written AS (
    INSERT INTO slotkeeper.holds (tenant_id, id, status, during, buffer_before_seconds, buffer_after_seconds,
           rows, expires_at, latest_expires_at, actor, reference)
    SELECT $1, $2, 'active', $6, $7, $8, 1, c.expires_at,
           statement_timestamp() + $10::bigint * interval '1 microsecond', $11, $12
      FROM claimed c RETURNING placed_at, expires_at
)
SELECT CASE WHEN h.placed_at IS NOT NULL THEN 'placed'
            WHEN EXISTS (SELECT FROM slotkeeper.holds l WHERE l.tenant_id = $1 AND l.id = $2) THEN 'replayed'
            WHEN l.blockers IS NOT NULL AND NOT EXISTS (
                 SELECT FROM slotkeeper.allocations c WHERE c.tenant_id = $1 AND c.claim_id = $2)
            THEN 'conflict' END AS outcome,
       h.placed_at, h.expires_at, l.blockers
  FROM (SELECT) one LEFT JOIN hold_written h ON true LEFT JOIN LATERAL (
       -- The parameters are hidden: seen by the planner, they make it prefer a plan of its own for each call.
       SELECT jsonb_agg(jsonb_build_object('allocation', a.id, 'resource', $3::uuid, 'kind', a.kind,
                  'overlap', jsonb_build_object('start', lower(a.overlap), 'end', upper(a.overlap))))
              AS blockers
         FROM (SELECT a.id, a.kind, a.during * (SELECT $4::tstzrange) AS overlap
                 FROM resource r JOIN slotkeeper.allocations a
                   ON a.tenant_id = (SELECT $1::uuid) AND a.resource_id = r.id
                  AND a.during && (SELECT $4::tstzrange) AND a.released_at IS NULL AND NOT a.shadow
                  AND (a.expires_at IS NULL OR a.expires_at > statement_timestamp())
                WHERE h.placed_at IS NULL
                ORDER BY a.during LIMIT 64) a) l ON true
