-- hold.sweep
-- Releases the rows of expired holds. Hygiene only: an expired hold never blocks. Skips holds somebody is
-- deciding on, and rows somebody is taking over: their hold stays on the list until a sweep has seen all of
-- them released.
-- $1 tenant  $2 most holds  $3 how far back to look, µs
WITH due_holds AS MATERIALIZED (
    SELECT h.id FROM slotkeeper.holds h
     WHERE h.tenant_id = $1 AND h.expires_at <= statement_timestamp()
       AND h.expires_at > statement_timestamp() - $3::bigint * interval '1 microsecond'
       AND h.status = 'active' AND h.swept_at IS NULL
     ORDER BY h.expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
), held_rows AS MATERIALIZED (
    SELECT a.id FROM slotkeeper.allocations a
     WHERE a.tenant_id = $1 AND a.claim_id IN (SELECT h.id FROM due_holds h) AND a.released_at IS NULL AND a.kind = 'held'
       AND a.expires_at <= statement_timestamp()
     ORDER BY a.resource_id, a.during FOR UPDATE SKIP LOCKED
), freed AS (
    UPDATE slotkeeper.allocations x SET released_at = statement_timestamp()
      FROM held_rows a WHERE x.tenant_id = $1 AND x.id = a.id RETURNING 1
), hold_written AS (
    UPDATE slotkeeper.holds x SET swept_at = statement_timestamp()
      FROM due_holds h WHERE x.tenant_id = $1 AND x.id = h.id AND NOT EXISTS (
           SELECT FROM slotkeeper.allocations l
            WHERE l.tenant_id = $1 AND l.claim_id = h.id AND l.released_at IS NULL AND l.kind = 'held'
              AND l.id NOT IN (SELECT a.id FROM held_rows a)) RETURNING 1
)
SELECT 'swept' AS outcome, (SELECT count(*) FROM hold_written) AS holds, (SELECT count(*) FROM freed) AS allocations
