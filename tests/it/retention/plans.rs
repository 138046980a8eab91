//! A batch reads what it takes, however much there is.

use super::*;

/// Index entries and rows a batch of a hundred may read, of the 40,000 there are.
const MOST_ROWS: i64 = 3_000;

/// Two tenants with 20,000 past rows in each table; in the archive only one, as the server's statistics know.
const PAST: &str = "
    INSERT INTO slotkeeper.resources (tenant_id, id, kind, name, capacity, min_party, attributes, active, revision)
    SELECT t, gen_random_uuid(), 'table', 'table', 4, 1, '{}', true, 1 FROM unnest($1::uuid[]) t;
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, created_at)
    SELECT r.tenant_id, gen_random_uuid(), r.id, tstzrange(s, s + interval '1 hour'), 'booked', gen_random_uuid(), s
      FROM slotkeeper.resources r, generate_series(1, 20000) n,
           LATERAL (SELECT timestamptz '2010-01-01Z' + n * interval '1 hour' AS s) w;
    INSERT INTO slotkeeper.holds (tenant_id, id, status, during, buffer_before_seconds, buffer_after_seconds, rows,
           placed_at, expires_at, latest_expires_at)
    SELECT tenant_id, gen_random_uuid(), 'released', during, 0, 0, 1, created_at, created_at, created_at
      FROM slotkeeper.allocations;
    INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, rows, snapshot,
           decided_at)
    SELECT tenant_id, gen_random_uuid(), 'book', id::text, '', 'conflict', 0, '{}', created_at FROM slotkeeper.allocations;
    INSERT INTO slotkeeper.bookings (tenant_id, id, status, revision, during, buffer_before_seconds, buffer_after_seconds,
           metadata, history, created_at, updated_at)
    SELECT tenant_id, gen_random_uuid(), 'pending', 1, during, 0, 0, '{}',
           jsonb_build_array(jsonb_build_object('window', jsonb_build_object('end', upper(during)))), created_at, created_at
      FROM slotkeeper.allocations;
    INSERT INTO slotkeeper.allocations_archive (tenant_id, id, resource_id, during, kind, claim_id, shadow, created_at)
    SELECT tenant_id, gen_random_uuid(), resource_id, during, kind, claim_id, shadow, created_at
      FROM slotkeeper.allocations WHERE tenant_id = ($1::uuid[])[2];
    ANALYZE";

/// Index entries and rows of whole tables read so far, as the server counts them once the sessions have ended.
async fn rows_read(h: &House) -> i64 {
    h.db.deadlocks().await.unwrap();
    h.count(
        "SELECT ((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = 'slotkeeper') +
                 (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE schemaname = 'slotkeeper'))::bigint",
    )
    .await
}

#[tokio::test]
async fn a_batch_reads_a_handful_of_rows_of_a_full_house() {
    let h = House::open().await;
    let tenants = format!("'{{{},{}}}'", h.tenant, slotkeeper::TenantId::generate());
    h.sql(&PAST.replace("$1", &tenants)).await;
    let batch = batch(&h).limit(100).unwrap();
    let retention = h.keeper.retention();
    for what in ["allocations", "holds", "bookings", "confirmations"] {
        let mut batch = batch;
        // The second begins where the first ended.
        for round in ["first", "second"] {
            let before = rows_read(&h).await;
            let done = match what {
                "allocations" => retention.archive_allocations(&h.pool, &batch).await.unwrap(),
                "holds" => retention.prune_holds(&h.pool, &batch).await.unwrap(),
                "bookings" => retention.prune_bookings(&h.pool, &batch).await.unwrap(),
                _ => retention.prune_confirmations(&h.pool, &batch).await.unwrap(),
            };
            assert_eq!(done.rows, 100, "{what}");
            batch = batch.after(done.next.unwrap());
            let read = rows_read(&h).await - before;
            println!("{what}, {round} batch of 100: {read} rows read");
            assert!(read <= MOST_ROWS, "{what}, {round}: {read} rows");
        }
    }
    // Control: reading a tenant whole is found out.
    let before = rows_read(&h).await;
    assert!(
        h.count(&format!("SELECT count(kind) FROM slotkeeper.allocations WHERE tenant_id = '{}'", h.tenant))
            .await
            > 0
    );
    assert!(rows_read(&h).await - before > MOST_ROWS);
}
