//! Prepared statements that the server no longer has, or that no longer fit the tables: prepared anew, unnoticed.

use super::{
    act::Answer,
    stage::Stage,
    state::{Saved, VISITS, visit, visits},
    successes::{reads, writes},
};
use crate::support::*;
use slotkeeper::{Slotkeeper, migrate::Migrator};
use std::time::Duration;

/// Changes the type of result columns of many statements: 0A000, "cached plan must not change result type".
const ALTER: [&str; 3] = [
    "ALTER TABLE slotkeeper.resources ALTER COLUMN name TYPE varchar(200)",
    "ALTER TABLE slotkeeper.holds ALTER COLUMN reference TYPE varchar(120)",
    "ALTER TABLE slotkeeper.bookings ALTER COLUMN reference TYPE varchar(120)",
];

/// Every call on one warmed connection, with `spoil` before each.
async fn every_call(h: &House, keeper: &Slotkeeper, spoil: impl AsyncFn(&deadpool_postgres::Client)) {
    let client = h.pool.get().await.unwrap();
    keeper.warm(&client).await.unwrap();
    let stage = Stage::of(h, keeper, "slotkeeper").await;
    let saved = Saved::of(h).await;
    for call in writes().into_iter().chain(reads()) {
        saved.restore().await;
        spoil(&client).await;
        assert_eq!((call.act)(&stage, &client).await, Answer::Done, "{}", call.name);
    }
}

#[tokio::test]
async fn a_statement_the_server_forgot_is_prepared_again() {
    let h = House::open().await;
    let forget = async |client: &deadpool_postgres::Client| {
        client.batch_execute("DEALLOCATE ALL").await.unwrap();
    };
    every_call(&h, &h.keeper, forget).await;
}

#[tokio::test]
async fn a_statement_the_server_forgot_is_prepared_again_with_settings_too() {
    let h = House::open().await;
    let keeper = h.keeper.clone().with_lock_timeout(Duration::from_secs(5)).with_row_security(true);
    let forget = async |client: &deadpool_postgres::Client| {
        client.batch_execute("DISCARD ALL").await.unwrap();
    };
    every_call(&h, &keeper, forget).await;
}

#[tokio::test]
async fn a_plan_whose_result_changed_its_type_is_made_again() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    let mut client = h.pool.get().await.unwrap();
    h.keeper.warm(&client).await.unwrap();
    let raw = client.prepare("SELECT name FROM slotkeeper.resources").await.unwrap();
    for alter in ALTER {
        h.sql(alter).await;
    }
    let error = client.query(&raw, &[]).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "0A000", "what the server really says to a plan that is kept");
    for call in reads() {
        assert_eq!((call.act)(&stage, &client).await, Answer::Done, "{}", call.name);
    }
    let saved = Saved::of(&h).await;
    for write in writes() {
        saved.restore().await;
        assert_eq!((write.act)(&stage, &client).await, Answer::Done, "{}", write.name);
    }
    saved.restore().await;
    let tx = client.transaction().await.unwrap();
    assert_eq!((reads()[0].act)(&stage, &tx).await, Answer::Done);
}

/// In the caller's transaction the failed statement has spoilt it: Busy, and the whole transaction is repeated.
#[tokio::test]
async fn in_a_transaction_a_forgotten_statement_is_busy_once() {
    let h = House::open().await;
    h.sql(VISITS).await;
    let stage = Stage::open(&h).await;
    let mut client = h.pool.get().await.unwrap();
    for call in writes().into_iter().chain(reads()) {
        h.keeper.warm(&client).await.unwrap();
        client.batch_execute("DEALLOCATE ALL").await.unwrap();
        // Each statement of a call is forgotten, and found out where it is sent.
        for _ in 0..call.round_trips {
            let tx = client.transaction().await.unwrap();
            visit(&tx).await;
            assert_eq!((call.act)(&stage, &tx).await, Answer::Refused("busy"), "{}", call.name);
            tx.rollback().await.unwrap();
        }
        let tx = client.transaction().await.unwrap();
        visit(&tx).await;
        assert_eq!((call.act)(&stage, &tx).await, Answer::Done, "{}", call.name);
        tx.rollback().await.unwrap();
        client.statement_cache.clear();
    }
    assert_eq!(visits(&h).await, 0);
}

#[tokio::test]
async fn tables_dropped_and_made_anew_under_a_warm_pool_are_found() {
    let h = House::open().await;
    h.keeper.warm(&h.pool).await.unwrap();
    Stage::open(&h).await;
    h.sql("DROP SCHEMA slotkeeper CASCADE").await;
    let mut owner = h.db.client().await.unwrap();
    Migrator::new().up(&mut owner).await.unwrap();
    let stage = Stage::open(&h).await;
    let saved = Saved::of(&h).await;
    for write in writes() {
        saved.restore().await;
        assert_eq!((write.act)(&stage, &h.pool).await, Answer::Done, "{}", write.name);
    }
}
