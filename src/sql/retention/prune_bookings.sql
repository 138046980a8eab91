-- retention.prune_bookings
-- Forgets bookings whose time is over, every time they ever had, that nobody has touched since, and whose
-- allocations are all archived. A kept decision without its booking then always tells of the past, the
-- longest buffer included. Waits for nobody. May raise the violation of a foreign key of the host's.
-- $1 tenant  $2 age, µs  $3 most rows  $4 after  $5 up to  $6 only look
WITH due_rows AS MATERIALIZED (
    SELECT b.id FROM slotkeeper.bookings b
     WHERE b.tenant_id = $1 AND b.id > coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')
       AND b.id <= coalesce($5::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
       AND greatest(upper(b.during), b.updated_at) < statement_timestamp() - $2::bigint * interval '1 microsecond'
       AND NOT EXISTS (
           SELECT FROM slotkeeper.allocations a WHERE a.tenant_id = $1 AND a.claim_id = b.claim_id)
       AND NOT EXISTS (
           SELECT FROM jsonb_array_elements(b.history) e
            WHERE (e->'window'->>'end')::timestamptz > statement_timestamp() - interval '7 days')
     ORDER BY b.id LIMIT $3 FOR UPDATE OF b SKIP LOCKED
), gone AS (
    DELETE FROM slotkeeper.bookings b USING due_rows d WHERE b.tenant_id = $1 AND b.id = d.id AND NOT $6 RETURNING 1
)
SELECT 'done' AS outcome, (SELECT count(*) FROM gone) AS rows, ARRAY(SELECT d.id FROM due_rows d ORDER BY d.id) AS ids,
       '{}'::uuid[] AS taken
