//! Calls in the caller's own READ COMMITTED transaction, together with the caller's own rows.

use super::{
    act::{Act, Answer},
    refusals::all_refusals,
    stage::Stage,
    state::{Saved, State, VISITS, visit, visits},
    successes::{reads, writes},
};
use crate::support::*;
use slotkeeper::Executor;
use tokio_postgres::Transaction;

/// A call between two writes of the host, and another call after it.
async fn between_visits(
    stage: &Stage,
    act: Act,
    db: &dyn Executor,
    tx: &Transaction<'_>,
    answer: Answer,
    name: &str,
) {
    visit(tx).await;
    assert_eq!(act(stage, db).await, answer, "{name}");
    visit(tx).await;
    let found = stage.keeper.bookings().find(db, stage.tenant, stage.booking).await;
    assert!(found.unwrap().is_some(), "{name}");
}

#[tokio::test]
async fn after_every_refusal_the_transaction_commits_the_callers_rows_and_nothing_of_the_claim() {
    let h = House::open().await;
    h.sql(VISITS).await;
    let stage = Stage::open(&h).await;
    let mut pooled = h.pool.get().await.unwrap();
    let mut bare = h.db.client().await.unwrap();
    for (n, refusal) in all_refusals().into_iter().enumerate() {
        let (before, rows) = (State::read(&h).await, visits(&h).await);
        if n % 2 == 0 {
            let tx = pooled.transaction().await.unwrap();
            between_visits(&stage, refusal.act, &tx, &tx, refusal.answer, refusal.name).await;
            tx.commit().await.unwrap();
        } else {
            let tx = bare.transaction().await.unwrap();
            between_visits(&stage, refusal.act, &tx, &tx, refusal.answer, refusal.name).await;
            tx.commit().await.unwrap();
        }
        let after = State::read(&h).await;
        let recorded = i64::from(matches!(refusal.answer, Answer::Recorded(_)));
        assert_eq!(after.rest, before.rest, "{}", refusal.name);
        assert_eq!(after.records - before.records, recorded, "{}", refusal.name);
        // The driver calls a COMMIT fine that the server answered with a rollback: only the rows tell.
        assert_eq!(visits(&h).await - rows, 2, "{}", refusal.name);
    }
}

#[tokio::test]
async fn a_rollback_takes_every_success_back_with_the_callers_rows() {
    let h = House::open().await;
    h.sql(VISITS).await;
    let stage = Stage::open(&h).await;
    let before = State::read(&h).await;
    let mut pooled = h.pool.get().await.unwrap();
    let mut bare = h.db.client().await.unwrap();
    for (n, write) in writes().into_iter().enumerate() {
        if n % 2 == 0 {
            let tx = pooled.transaction().await.unwrap();
            between_visits(&stage, write.act, &tx, &tx, Answer::Done, write.name).await;
            tx.rollback().await.unwrap();
        } else {
            let tx = bare.transaction().await.unwrap();
            between_visits(&stage, write.act, &tx, &tx, Answer::Done, write.name).await;
            tx.rollback().await.unwrap();
        }
        assert_eq!(State::read(&h).await, before, "{}", write.name);
    }
    assert_eq!(visits(&h).await, 0);
}

#[tokio::test]
async fn a_commit_keeps_every_success_with_the_callers_rows() {
    let h = House::open().await;
    h.sql(VISITS).await;
    let stage = Stage::open(&h).await;
    let saved = Saved::of(&h).await;
    let mut pooled = h.pool.get().await.unwrap();
    for write in writes() {
        saved.restore().await;
        let (before, rows) = (State::read(&h).await, visits(&h).await);
        let tx = pooled.transaction().await.unwrap();
        between_visits(&stage, write.act, &tx, &tx, Answer::Done, write.name).await;
        tx.commit().await.unwrap();
        assert_ne!(State::read(&h).await, before, "{}", write.name);
        assert_eq!(visits(&h).await - rows, 2, "{}", write.name);
    }
}

#[tokio::test]
async fn a_transaction_that_had_failed_is_said_to_have_failed() {
    let h = House::open().await;
    h.sql(VISITS).await;
    let stage = Stage::open(&h).await;
    let before = State::read(&h).await;
    let mut client = h.pool.get().await.unwrap();
    for call in writes().into_iter().chain(reads()) {
        let tx = client.transaction().await.unwrap();
        visit(&tx).await;
        tx.execute("SELECT 1 / 0", &[]).await.unwrap_err();
        assert_eq!((call.act)(&stage, &tx).await, Answer::Refused("transaction_aborted"), "{}", call.name);
        tx.commit().await.unwrap();
    }
    // What an unusable transaction looks like to the checks of this file: the commit is fine and the row is not there.
    assert_eq!(visits(&h).await, 0);
    assert_eq!(State::read(&h).await, before);
}
