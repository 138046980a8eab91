//! On a server: what comes with the `BEGIN`, and what is left of a transaction that was dropped.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use futures_util::FutureExt;
use tokio_postgres::Client;

use super::{NO_TIMEOUTS, Transaction, WRITING};

async fn open() -> (kit::Database, Client) {
    let database = kit::empty_database().await.unwrap();
    let client = database.client().await.unwrap();
    client.batch_execute("CREATE TABLE t (a int)").await.unwrap();
    (database, client)
}

async fn rows(client: &Client) -> i64 {
    client.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get(0)
}

/// Whether each statement is a transaction of its own.
async fn is_outside(client: &Client) -> bool {
    let now = "SELECT pg_current_xact_id()::text";
    let first: String = client.query_one(now, &[]).await.unwrap().get(0);
    first != client.query_one(now, &[]).await.unwrap().get::<_, String>(0)
}

#[tokio::test]
async fn a_time_out_of_the_session_cannot_strike_after_begin() {
    let (database, mut client) = open().await;
    let hurry = "SET idle_in_transaction_session_timeout = '1ms'";
    client.batch_execute(hurry).await.unwrap();
    let tx = Transaction::begin(&mut client, WRITING, &[NO_TIMEOUTS]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    tx.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(rows(&client).await, 1);
    // The negative control: the driver's own transaction is ended in that time.
    let mut other = database.client().await.unwrap();
    other.batch_execute(hurry).await.unwrap();
    let Ok(tx) = other.transaction().await else { return };
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(tx.batch_execute("INSERT INTO t VALUES (2)").await.is_err());
}

#[tokio::test]
async fn what_is_dropped_is_rolled_back_before_the_next_statement() {
    let (_database, mut client) = open().await;
    let tx = Transaction::begin(&mut client, WRITING, &[]).await.unwrap();
    tx.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
    drop(tx);
    assert_eq!(rows(&client).await, 0);
    assert!(is_outside(&client).await);

    // Dropped while it begins: sent, and not answered.
    let begun =
        Transaction::begin(&mut client, WRITING, &["SELECT pg_sleep(0.05);"]).now_or_never().is_some();
    assert!(!begun);
    assert!(is_outside(&client).await);

    // A setting that is refused leaves nothing open.
    let refused =
        Transaction::begin(&mut client, WRITING, &["SET LOCAL lock_timeout = 'soon';"]).await.is_err();
    assert!(refused);
    assert!(is_outside(&client).await);
}

#[tokio::test]
async fn a_savepoint_ends_alone() {
    let (_database, mut client) = open().await;
    let mut tx = Transaction::begin(&mut client, WRITING, &[]).await.unwrap();
    let kept = tx.savepoint().await.unwrap();
    kept.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
    kept.commit().await.unwrap();
    let failed = tx.savepoint().await.unwrap();
    assert!(failed.batch_execute("INSERT INTO t VALUES (1 / 0)").await.is_err());
    failed.rollback().await.unwrap();
    let mut outer = tx.savepoint().await.unwrap();
    let inner = outer.savepoint().await.unwrap();
    inner.batch_execute("INSERT INTO t VALUES (2)").await.unwrap();
    drop(inner);
    outer.batch_execute("INSERT INTO t VALUES (3)").await.unwrap();
    outer.commit().await.unwrap();
    tx.commit().await.unwrap();
    let kept: Vec<i32> =
        client.query("SELECT a FROM t ORDER BY a", &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(kept, [1, 3]);
}
