//! What the statements cost: an update that stays in its page, and indexes that are used.

use super::*;
use OfferSource::Default;

/// Counting again writes no index entry.
#[tokio::test]
async fn counting_a_slot_again_is_a_hot_update() {
    let h = House::open().await;
    let minutes: Vec<i64> = (0..100).collect();
    for _ in 0..2 {
        record(&h, Default, &minutes).await;
    }
    keep(&h, Default, at(0), 1).await;
    keep(&h, Default, at(0), 2).await;
    h.db.deadlocks().await.unwrap();
    for (table, updates) in [("offered_slots", 100), ("availability_cache", 1)] {
        let query = format!(
            "SELECT n_tup_upd * 1000 + n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = '{table}'"
        );
        let found = h.count(&query).await;
        assert_eq!(found / 1_000, updates, "{table}");
        assert!(found % 1_000 >= updates * 9 / 10, "{table}: {} of {updates} were hot", found % 1_000);
    }
}

/// A batch reads the pages it writes, however long the ledger is.
#[tokio::test]
async fn a_page_and_a_batch_read_a_handful_of_rows_of_a_long_ledger() {
    let h = House::open().await;
    let fill = format!(
        "INSERT INTO slotkeeper.offered_slots
         SELECT t, s, '2010-01-01Z'::timestamptz + n * interval '1 minute', 1, now(), now()
           FROM (VALUES ('{}'::uuid), (gen_random_uuid())) tenants (t), (VALUES ('default'), ('direct_book')) sources (s),
                generate_series(1, 20000) n; ANALYZE slotkeeper.offered_slots",
        h.tenant
    );
    h.sql(&fill).await;
    // On one connection, and often enough that the server would share a plan if it found one good enough.
    let h = House { pool: h.db.pool(1), ..h };
    let read = async || {
        h.db.deadlocks().await.unwrap();
        h.count(
            "SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'offered_slots')::bigint
                  + (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'offered_slots')",
        )
        .await
    };
    let start: DateTime<Utc> = "2010-01-05T00:00:00Z".parse().unwrap();
    let window = slotkeeper::Window::starting_at(start, TimeDelta::days(1)).unwrap();
    for what in ["list", "record", "prune"] {
        let before = read().await;
        match what {
            "list" => {
                let list = ListOffers::new(h.tenant, Default, window).limit(50).unwrap();
                assert_eq!(h.keeper.offers().list(&h.pool, &list).await.unwrap().len(), 50);
            }
            "record" => {
                let slots = (0..50).map(|n| start + TimeDelta::minutes(n));
                let request = RecordOffers::new(h.tenant, Default, slots).unwrap();
                assert_eq!(h.keeper.offers().record(&h.pool, &request).await.unwrap(), 50);
            }
            _ => {
                let prune = slotkeeper::offer::PruneOffers::new(h.tenant, at(0)).unwrap().limit(5).unwrap();
                for _ in 0..10 {
                    assert_eq!(h.keeper.offers().prune(&h.pool, &prune).await.unwrap(), 5);
                }
            }
        }
        let rows = read().await - before;
        assert!(rows <= 500, "{what}: {rows} rows");
    }
    // Control: reading a tenant whole is found out.
    let before = read().await;
    assert!(
        h.count(&format!(
            "SELECT count(offered) FROM slotkeeper.offered_slots WHERE tenant_id = '{}'",
            h.tenant
        ))
        .await
            > 30_000
    );
    assert!(read().await - before > 10_000);
}
