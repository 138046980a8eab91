-- retention.prune_confirmations
-- Forgets decisions, and with them their keys, except those that the history of a booking still cites. Waits
-- for nobody. May raise the violation of a foreign key of the host's.
-- $1 tenant  $2 age, µs  $3 most rows  $4 after  $5 up to  $6 only look
WITH due_rows AS MATERIALIZED (
    SELECT c.id FROM slotkeeper.confirmations c
     WHERE c.tenant_id = $1 AND c.id > coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')
       AND c.id <= coalesce($5::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
       AND c.decided_at < statement_timestamp() - $2::bigint * interval '1 microsecond'
       AND NOT EXISTS (
           SELECT FROM slotkeeper.bookings b
            WHERE b.tenant_id = $1 AND b.id = c.booking_id
              AND (b.confirmation_id = c.id
                   OR b.history @> jsonb_build_array(jsonb_build_object('confirmation', c.id))))
     ORDER BY c.id LIMIT $3 FOR UPDATE OF c SKIP LOCKED
), gone AS (
    DELETE FROM slotkeeper.confirmations c USING due_rows d WHERE c.tenant_id = $1 AND c.id = d.id AND NOT $6 RETURNING 1
)
SELECT 'done' AS outcome, (SELECT count(*) FROM gone) AS rows, ARRAY(SELECT d.id FROM due_rows d ORDER BY d.id) AS ids,
       '{}'::uuid[] AS taken
