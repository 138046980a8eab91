-- retention.archive_allocations
-- Moves rows that cannot be in anybody's way: released ones, and booked or closed time that is over together
-- with everything else its claim still occupies. A hold that is still kept answers repeats from its rows:
-- they stay. So do rows waiting for repair, and a blackout that was opened again before its time: its rows
-- are all that tells of it. Waits for nobody. May raise the violation of a foreign key of the host's. One
-- probe is scalar: under an OR the planner turns an EXISTS into a pass over the whole table for each batch.
-- $1 tenant  $2 age, µs  $3 most rows  $4 after  $5 up to  $6 only look
WITH due_rows AS MATERIALIZED (
    SELECT a.id, coalesce((SELECT true FROM slotkeeper.allocations_archive x
                            WHERE x.tenant_id = $1 AND x.id = a.id LIMIT 1), false) AS taken
      FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.id > coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')
       AND a.id <= coalesce($5::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
       AND ((a.released_at < statement_timestamp() - $2::bigint * interval '1 microsecond'
                AND (a.kind <> 'blackout' OR upper(a.during) < statement_timestamp()))
            OR (a.released_at IS NULL AND NOT a.shadow AND a.kind <> 'held'
                AND upper(a.during) < statement_timestamp() - $2::bigint * interval '1 microsecond'
                AND coalesce((
                    SELECT false FROM slotkeeper.allocations l
                     WHERE l.tenant_id = $1 AND l.claim_id = a.claim_id AND l.released_at IS NULL
                       AND upper(l.during) >= statement_timestamp() - $2::bigint * interval '1 microsecond'
                     LIMIT 1), true)))
       AND NOT EXISTS (SELECT FROM slotkeeper.holds h WHERE h.tenant_id = $1 AND h.id = a.claim_id)
     ORDER BY a.id LIMIT $3 FOR UPDATE OF a SKIP LOCKED
), gone AS (
    DELETE FROM slotkeeper.allocations a USING due_rows d
     WHERE a.tenant_id = $1 AND a.id = d.id AND NOT d.taken AND NOT $6
    RETURNING a.id, a.resource_id, a.during, a.kind, a.claim_id, a.expires_at, a.released_at, a.shadow,
              a.shadowed_at, a.created_at
), kept AS (
    INSERT INTO slotkeeper.allocations_archive (tenant_id, id, resource_id, during, kind, claim_id,
           expires_at, released_at, shadow, shadowed_at, created_at)
    SELECT $1, g.id, g.resource_id, g.during, g.kind, g.claim_id, g.expires_at, g.released_at, g.shadow,
           g.shadowed_at, g.created_at
      FROM gone g ORDER BY g.id RETURNING 1
)
SELECT 'done' AS outcome, (SELECT count(*) FROM kept) AS rows,
       ARRAY(SELECT d.id FROM due_rows d ORDER BY d.id) AS ids,
       ARRAY(SELECT d.id FROM due_rows d WHERE d.taken ORDER BY d.id) AS taken
