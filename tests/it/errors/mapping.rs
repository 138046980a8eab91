//! Failures provoked on a real server, and what the caller is told.

use std::time::Duration;

use slotkeeper::{
    Error, ErrorKind, HoldId, ResourceId, Retry, SchemaName, Slotkeeper,
    allocation::Block,
    hold::{PlaceHold, ReleaseHold},
};
use tokio_postgres::{Client, NoTls};

use super::{
    db::{END_WAITING, until_one_waits},
    silence::silent,
};
use crate::support::*;

/// The variant, the server's code and the advice; and nothing of the database shows.
pub(super) fn check(error: &Error, code: &str, sqlstate: Option<&str>) {
    silent(error);
    assert_eq!((error.code(), error.sqlstate()), (code, sqlstate), "{error:?}");
    let (kind, retry) = match code {
        "busy" | "unavailable" | "transaction_aborted" => (ErrorKind::Busy, Retry::After),
        "outcome_unknown" => (ErrorKind::OutcomeUnknown, Retry::Now),
        "read_only" => (ErrorKind::Misconfigured, Retry::After),
        _ => (ErrorKind::Misconfigured, Retry::Never),
    };
    assert_eq!((error.kind(), error.retry()), (kind, retry), "{error:?}");
}

pub(super) fn place(h: &House, resource: ResourceId, from: i64) -> PlaceHold {
    PlaceHold::new(h.tenant, one(resource, from, from + 30))
}

pub(super) async fn client(h: &House, settings: &str) -> Client {
    let client = h.db.client().await.unwrap();
    client.batch_execute(settings).await.unwrap();
    client
}

/// 25P02: the error that broke the transaction was another one.
#[tokio::test]
async fn a_transaction_that_had_failed_is_told_so() {
    let h = House::open().await;
    let (t, k) = (h.tables(2).await, &h.keeper);
    let mut client = h.db.client().await.unwrap();
    let tx = client.transaction().await.unwrap();
    tx.batch_execute("SELECT 1 / 0").await.unwrap_err();
    for answer in [
        k.holds().place(&tx, &place(&h, t[0], 0)).await.map(drop),
        k.holds().place(&tx, &PlaceHold::new(h.tenant, all(&t, 0, 30))).await.map(drop),
        k.holds().find(&tx, h.tenant, HoldId::generate()).await.map(drop),
    ] {
        check(&answer.unwrap_err(), "transaction_aborted", None);
    }
}

/// 25006.
#[tokio::test]
async fn a_session_that_only_reads_is_told_so() {
    let h = House::open().await;
    let (t, k) = (h.table().await, &h.keeper);
    let mut client = client(&h, "SET default_transaction_read_only = on").await;
    check(&k.holds().place(&client, &place(&h, t, 0)).await.unwrap_err(), "read_only", None);
    assert!(k.allocations().is_free(&client, h.tenant, t, window(0, 30)).await.unwrap(), "reading works");
    let tx = client.transaction().await.unwrap();
    check(&k.holds().place(&tx, &place(&h, t, 0)).await.unwrap_err(), "read_only", None);
}

/// 42501, 42P01, 42703 and 55000: an operator must act.
#[tokio::test]
async fn a_schema_that_does_not_fit_is_misconfigured() {
    let h = House::open().await;
    let (t, k) = (h.table().await, &h.keeper);
    let (stranger, connection) = h.db.stranger().await.unwrap().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    check(&k.holds().place(&stranger, &place(&h, t, 0)).await.unwrap_err(), "misconfigured", Some("42501"));
    check(&k.resources().find(&stranger, h.tenant, t).await.unwrap_err(), "misconfigured", Some("42501"));

    let elsewhere = Slotkeeper::in_schema(SchemaName::new("elsewhere").unwrap());
    check(
        &elsewhere.holds().place(&h.pool, &place(&h, t, 0)).await.unwrap_err(),
        "misconfigured",
        Some("42P01"),
    );
    check(&elsewhere.warm(&h.pool).await.unwrap_err(), "misconfigured", Some("42P01"));

    h.sql("ALTER TABLE slotkeeper.holds RENAME COLUMN swept_at TO tidied_at").await;
    let sweep = slotkeeper::hold::SweepHolds::new(h.tenant);
    check(&k.holds().sweep(&h.pool, &sweep).await.unwrap_err(), "misconfigured", Some("42703"));

    // Scenario 75, as a caller who never asked `verify` meets it.
    h.sql(
        "ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_resource_during_excl;
         ALTER TABLE slotkeeper.allocations ADD CONSTRAINT allocations_resource_during_excl EXCLUDE USING gist (
             resource_id WITH =, during WITH &&, tenant_id WITH =) WHERE (released_at IS NULL AND NOT shadow) DEFERRABLE",
    )
    .await;
    let block = Block::new(h.tenant, one(t, 0, 30));
    check(&k.allocations().block(&h.pool, &block).await.unwrap_err(), "misconfigured", Some("55000"));
}

/// 53300, and a pool with no connection left.
#[tokio::test]
async fn a_full_server_or_pool_is_busy_and_a_closed_one_unreachable() {
    let h = House::open().await;
    let (t, k) = (h.table().await, &h.keeper);
    let config = h.db.stranger().await.unwrap();
    h.sql(&format!("ALTER DATABASE {} CONNECTION LIMIT 0", h.db.name())).await;
    let manager = deadpool_postgres::Manager::new(config, NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(1).build().unwrap();
    check(&k.holds().place(&pool, &place(&h, t, 0)).await.unwrap_err(), "busy", Some("53300"));

    let manager = deadpool_postgres::Manager::new(h.db.config(), NoTls);
    let pool = deadpool_postgres::Pool::builder(manager)
        .max_size(1)
        .runtime(deadpool_postgres::Runtime::Tokio1)
        .wait_timeout(Some(Duration::from_millis(20)))
        .build()
        .unwrap();
    let only = pool.get().await.unwrap();
    check(&k.holds().place(&pool, &place(&h, t, 0)).await.unwrap_err(), "busy", None);
    drop(only);
    k.holds().place(&pool, &place(&h, t, 0)).await.unwrap();
    pool.close();
    check(&k.holds().place(&pool, &place(&h, t, 0)).await.unwrap_err(), "unavailable", None);
}

/// 57P01 while the write waits: on its own it may have happened, in a transaction it cannot have.
#[tokio::test]
async fn a_terminated_session_leaves_doubt_only_where_something_commits() {
    let h = House::open().await;
    let (t, k) = (h.table().await, &h.keeper);
    let mut holder = h.db.client().await.unwrap();
    let tx = holder.transaction().await.unwrap();
    k.holds().place(&tx, &place(&h, t, 0)).await.unwrap();
    let kill = async {
        until_one_waits(&h).await;
        assert_eq!(h.count(END_WAITING).await, 1);
    };
    let alone = h.db.client().await.unwrap();
    let (holds, place) = (k.holds(), place(&h, t, 0));
    let (answer, ()) = tokio::join!(holds.place(&alone, &place), kill);
    check(&answer.unwrap_err(), "outcome_unknown", Some("57P01"));
    // The connection's own task notices a moment later.
    while !alone.is_closed() {
        tokio::task::yield_now().await;
    }
    let gone = k.holds().release(&alone, &ReleaseHold::new(h.tenant, place.id())).await.unwrap_err();
    check(&gone, "unavailable", None);

    let mut client = h.db.client().await.unwrap();
    let inside = client.transaction().await.unwrap();
    let kill = async {
        until_one_waits(&h).await;
        assert_eq!(h.count(END_WAITING).await, 1);
    };
    let (answer, ()) = tokio::join!(holds.place(&inside, &place), kill);
    check(&answer.unwrap_err(), "unavailable", Some("57P01"));
}
