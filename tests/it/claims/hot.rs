//! Confirming touches no index.

use super::common::*;

/// Updates of a table so far, and how many of them stayed within their page.
async fn updates(h: &House, table: &str) -> (i64, i64) {
    let count = |column| {
        format!(
            "SELECT {column} FROM pg_stat_user_tables WHERE schemaname = 'slotkeeper' AND relname = '{table}'"
        )
    };
    (h.count(&count("n_tup_upd")).await, h.count(&count("n_tup_hot_upd")).await)
}

/// A thousand two-resource holds, written in one statement: placing them is not what is measured. Every page is left
/// room for new versions of its rows: how soon the server reclaims old ones depends on what else it is doing, and is
/// not what is measured either.
async fn thousand_holds(h: &House, t: &[ResourceId]) -> Vec<HoldId> {
    h.sql("ALTER TABLE slotkeeper.holds SET (fillfactor = 40); ALTER TABLE slotkeeper.allocations SET (fillfactor = 40)")
        .await;
    h.sql(&format!(
        "INSERT INTO slotkeeper.holds (tenant_id, id, status, during, buffer_before_seconds, buffer_after_seconds,
                rows, expires_at, latest_expires_at)
         SELECT '{tenant}', gen_random_uuid(), 'active', tstzrange(timestamptz '2030-01-01Z' + n * interval '1 h',
                timestamptz '2030-01-01Z' + (n + 1) * interval '1 h'), 0, 0, 2, now() + interval '1 h',
                now() + interval '1 day' FROM generate_series(1, 1000) n;
         INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, expires_at)
         SELECT tenant_id, gen_random_uuid(), r, during, 'held', id, expires_at
           FROM slotkeeper.holds, unnest(ARRAY['{a}', '{b}']::uuid[]) r",
        tenant = h.tenant,
        a = t[0],
        b = t[1],
    ))
    .await;
    let client = h.db.client().await.unwrap();
    let rows = client.query("SELECT id FROM slotkeeper.holds ORDER BY during", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn confirm_all(h: &House, holds: &[HoldId]) {
    let client = h.pool.get().await.unwrap();
    // In flights of 50 on one connection: still one statement and one transaction each.
    for flight in holds.chunks(50) {
        let requests: Vec<_> =
            flight.iter().map(|hold| ConfirmHold::new(h.tenant, *hold, fresh_key())).collect();
        let confirms = requests.iter().map(|request| async {
            let decision = h.keeper.bookings().confirm(&client, request).await.unwrap();
            assert_eq!(decision.outcome, Outcome::Confirmed);
        });
        futures_util::future::join_all(confirms).await;
    }
}

#[tokio::test]
async fn a_thousand_confirms_of_two_resource_holds_are_all_hot_updates() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let holds = thousand_holds(&h, &t).await;
    confirm_all(&h, &holds).await;
    // Ends the sessions, which is when they report what they did.
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
    assert_eq!(updates(&h, "holds").await, (1_000, 1_000));
    assert_eq!(updates(&h, "allocations").await, (2_000, 2_000));
}

/// The negative control: one index on the wrong column, and not one update stays within its page.
#[tokio::test]
async fn an_index_on_expires_at_would_make_every_confirm_cold() {
    let h = House::open().await;
    let t = h.tables(2).await;
    h.sql("CREATE INDEX host_idx ON slotkeeper.allocations (expires_at)").await;
    let holds = thousand_holds(&h, &t).await;
    confirm_all(&h, &holds[..100]).await;
    h.db.deadlocks().await.unwrap();
    assert_eq!(updates(&h, "holds").await, (100, 100));
    assert_eq!(updates(&h, "allocations").await, (200, 0));
}
