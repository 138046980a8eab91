-- retention.prune_holds
-- Forgets holds whose time is over and who occupy nothing: an expired one must have been swept or taken over.
-- Waits for nobody. May raise the violation of a foreign key of the host's. The probe is scalar: few rows are
-- held, and to join with them the planner would look for them in the whole table.
-- $1 tenant  $2 age, µs  $3 most rows  $4 after  $5 up to  $6 only look
WITH due_rows AS MATERIALIZED (
    SELECT h.id FROM slotkeeper.holds h
     WHERE h.tenant_id = $1 AND h.id > coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')
       AND h.id <= coalesce($5::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
       AND greatest(h.placed_at, h.expires_at) < statement_timestamp() - $2::bigint * interval '1 microsecond'
       AND coalesce((
           SELECT false FROM slotkeeper.allocations a
            WHERE a.tenant_id = $1 AND a.claim_id = h.id AND a.released_at IS NULL AND a.kind = 'held' LIMIT 1), true)
     ORDER BY h.id LIMIT $3 FOR UPDATE OF h SKIP LOCKED
), gone AS (
    DELETE FROM slotkeeper.holds h USING due_rows d WHERE h.tenant_id = $1 AND h.id = d.id AND NOT $6 RETURNING 1
)
SELECT 'done' AS outcome, (SELECT count(*) FROM gone) AS rows, ARRAY(SELECT d.id FROM due_rows d ORDER BY d.id) AS ids,
       '{}'::uuid[] AS taken
