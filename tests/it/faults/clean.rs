//! Connections come back as they were lent: no transaction, no changed setting, no lock.

use super::{act::*, wait::*};
use crate::support::*;
use deadpool_postgres::Pool;
use slotkeeper::{Slotkeeper, booking::*, hold::*};
use std::{sync::Arc, time::Duration};
use tokio_postgres::{Client, SimpleQueryMessage};

/// What is not as it was on a connection that should be at rest. Empty on a good one.
async fn dirt(client: &Client) -> Vec<String> {
    // Locks other than those this very statement takes on the catalogs. A simple query, because in the extended protocol
    // parsing begins the transaction and `now()` is always earlier.
    let query = "
        SELECT 'setting ' || name FROM pg_settings WHERE source = 'session'
         UNION ALL SELECT 'transaction' WHERE now() <> statement_timestamp()
         UNION ALL SELECT 'lock ' || locktype FROM pg_locks l
            LEFT JOIN pg_class c ON c.oid = l.relation LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE pid = pg_backend_pid() AND locktype <> 'virtualxid' AND n.nspname IS DISTINCT FROM 'pg_catalog'
         UNION ALL SELECT 'temporary table' WHERE pg_my_temp_schema() <> 0
         UNION ALL SELECT 'listening' FROM pg_listening_channels()
         UNION ALL SELECT 'tenant' WHERE coalesce(current_setting('slotkeeper.tenant_id', true), '') <> ''
         UNION ALL SELECT 'cursor' FROM pg_cursors WHERE name <> ''";
    let messages = client.simple_query(query).await.unwrap();
    let text = |message: SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    messages.into_iter().filter_map(text).collect()
}

/// Looks at every connection the pool has at rest.
pub async fn assert_clean(pool: &Pool) {
    let mut lent = Vec::new();
    for _ in 0..pool.status().available.max(1) {
        lent.push(pool.get().await.unwrap());
    }
    for client in &lent {
        assert_eq!(dirt(client).await, Vec::<String>::new());
    }
}

/// No session of the database is in a transaction, or holds an advisory lock.
pub async fn assert_at_rest(h: &House) {
    let client = h.pool.get().await.unwrap();
    let query = "SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                          AND backend_type = 'client backend' AND pid <> pg_backend_pid()
                          AND (state <> 'idle' OR xact_start IS NOT NULL))
                      + (SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                          WHERE d.datname = current_database() AND l.locktype = 'advisory')";
    until("every session is at rest", async || {
        (client.query_one(query, &[]).await.unwrap().get::<_, i64>(0) == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn planted_dirt_of_every_kind_is_found() {
    let h = House::open().await;
    let pool = h.db.pool(1);
    let planted = [
        ("transaction", "BEGIN; SELECT 1"),
        ("setting lock_timeout", "SET lock_timeout = 1000"),
        ("lock advisory", "SELECT pg_advisory_lock(1)"),
        ("temporary table", "CREATE TEMP TABLE x (n int)"),
        ("listening", "LISTEN x"),
        ("tenant", "SET slotkeeper.tenant_id = 'x'"),
        ("cursor", "BEGIN; DECLARE x CURSOR WITH HOLD FOR SELECT 1; COMMIT"),
        ("lock relation", "BEGIN; LOCK slotkeeper.holds"),
    ];
    assert_clean(&pool).await;
    for (kind, plant) in planted {
        let client = h.db.client().await.unwrap();
        client.batch_execute(plant).await.unwrap();
        let found = dirt(&client).await;
        assert!(found.iter().any(|it| it == kind), "{kind}: {found:?}");
    }
}

/// Refusals, lost races, timeouts, aborted tasks, failed transactions, all on a small pool.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_errors_and_dropped_futures_every_connection_is_clean() {
    for settings in [false, true] {
        let keeper = Slotkeeper::new();
        let keeper = match settings {
            true => keeper.with_row_security(true).with_lock_timeout(Duration::from_millis(30)),
            false => keeper,
        };
        let h = Arc::new(House::with(keeper).await);
        let (t, pool) = (h.tables(3).await, h.db.pool(4));
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..120_i64 {
            let (h, t, pool) = (Arc::clone(&h), t.clone(), pool.clone());
            let task = tasks.spawn(async move {
                let from = n % 5 * 30;
                let claim = if n % 2 == 0 { all(&t, from, from + 30) } else { one(t[0], from, from + 30) };
                let book = BookPlaces::new(h.tenant, claim.clone(), fresh_key());
                match n % 3 {
                    0 => drop(h.keeper.bookings().book(&pool, &book).await),
                    1 => drop(h.keeper.holds().place(&pool, &PlaceHold::new(h.tenant, claim)).await),
                    _ => {
                        let mut client = pool.get().await.unwrap();
                        let tx = client.transaction().await.unwrap();
                        drop(h.keeper.bookings().book(&tx, &book).await);
                        drop(h.keeper.bookings().book(&tx, &book).await);
                        drop(tx.batch_execute("SELECT 1 / 0").await);
                        let failed = h.keeper.bookings().book(&tx, &book).await;
                        assert!(failed.is_err(), "{failed:?}");
                    }
                }
            });
            if n % 4 == 0 {
                tokio::task::yield_now().await;
                task.abort();
            }
        }
        while let Some(ended) = tasks.join_next().await {
            assert!(ended.is_ok() || ended.unwrap_err().is_cancelled());
        }
        let act = Act::prepare(&h, "move").await;
        act.run(&h.keeper, &pool).await.unwrap();
        assert_clean(&pool).await;
        assert_eq!(pool.status().size, pool.status().available, "all are back");
        assert_at_rest(&h).await;
        super::audit::assert_whole(&h).await;
    }
}
