-- offer.record
-- Counts offers, one row a slot. The caller sends each slot once; sorted here, so that two batches of the
-- same slots meet them in the same order and cannot deadlock. Outcome: recorded.
-- $1 tenant  $2 source  $3 slots[]  $4 how often[]
WITH counted AS (
    INSERT INTO slotkeeper.offered_slots AS o (tenant_id, source, starts_at, offered, first_offered_at, last_offered_at)
    SELECT $1, $2, u.starts_at, u.offered, statement_timestamp(), statement_timestamp()
      FROM unnest($3::timestamptz[], $4::bigint[]) u (starts_at, offered) ORDER BY u.starts_at
    ON CONFLICT ON CONSTRAINT offered_slots_pkey DO UPDATE
       SET offered = o.offered + EXCLUDED.offered,
           first_offered_at = least(o.first_offered_at, EXCLUDED.first_offered_at),
           last_offered_at = greatest(o.last_offered_at, EXCLUDED.last_offered_at)
     WHERE o.tenant_id = $1
    RETURNING 1
)
SELECT 'recorded' AS outcome, count(*) AS slots FROM counted
