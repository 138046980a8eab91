//! Waiting has an end, and its end says nothing about whether the window is free.

use super::{
    losers::{Ending, losers, winners},
    stage::Stage,
    state::{Saved, State, VISITS, visit, visits},
};
use crate::support::*;
use kit::proxy::Proxy;
use slotkeeper::{Error, ErrorKind, Retry};
use std::time::Duration;

/// On one thread, so that the parts of a flight leave together and count as one.
#[tokio::test]
async fn a_lock_timeout_is_busy_never_conflict_and_the_same_call_settles_afterwards() {
    let h = House::with(slotkeeper::Slotkeeper::new().with_lock_timeout(Duration::from_millis(20))).await;
    let stage = Stage::open(&h).await;
    let saved = Saved::of(&h).await;
    let proxy = Proxy::start(&h.db).await.unwrap();
    let pool = proxy.pool(1);
    h.keeper.warm(&pool).await.unwrap();
    for loser in losers() {
        for winner_commits in [true, false] {
            saved.restore().await;
            let mut client = h.pool.get().await.unwrap();
            let tx = client.transaction().await.unwrap();
            h.keeper.holds().place(&tx, &winners(&stage)[1]).await.unwrap();
            let before = State::read(&h).await;
            h.keeper.holds().find(&pool, stage.tenant, stage.hold).await.unwrap();
            proxy.reset();
            let error = (loser.attempt)(&stage, &pool).await.expect_err(loser.name);
            assert_eq!(proxy.round_trips(), 1, "{}: it waits once, not again", loser.name);
            assert!(matches!(error, Error::Busy(_)), "{}: {error:?}", loser.name);
            assert_eq!(error.sqlstate(), Some("55P03"), "{}", loser.name);
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Busy, Retry::After));
            assert_eq!(State::read(&h).await, before, "{}", loser.name);
            if winner_commits {
                tx.commit().await.unwrap()
            } else {
                tx.rollback().await.unwrap()
            }
            let ending = (loser.attempt)(&stage, &pool).await.unwrap();
            assert_eq!(matches!(ending, Ending::Lost(_)), winner_commits, "{}: {ending:?}", loser.name);
        }
    }
}

/// The caller's transaction has the caller's limits. Under a savepoint it even goes on; without one it has failed.
#[tokio::test]
async fn in_the_callers_transaction_the_callers_timeouts_hold() {
    let h = House::with(slotkeeper::Slotkeeper::new().with_lock_timeout(Duration::from_secs(60))).await;
    h.sql(VISITS).await;
    let stage = Stage::open(&h).await;
    let mut client = h.pool.get().await.unwrap();
    let winner = client.transaction().await.unwrap();
    h.keeper.holds().place(&winner, &winners(&stage)[1]).await.unwrap();
    let mut second = h.pool.get().await.unwrap();
    h.keeper.warm(&second).await.unwrap();
    for (setting, code) in [("lock_timeout", "55P03"), ("statement_timeout", "57014")] {
        for loser in losers() {
            let rows = visits(&h).await;
            let tx = second.transaction().await.unwrap();
            visit(&tx).await;
            tx.batch_execute(&format!("SET LOCAL {setting} = 50")).await.unwrap();
            let error = (loser.attempt)(&stage, &tx).await.expect_err(loser.name);
            assert_eq!((error.code(), error.sqlstate()), ("busy", Some(code)), "{}", loser.name);
            // The limit was for the call; if the transaction has failed, this fails too.
            drop(tx.batch_execute(&format!("SET LOCAL {setting} = 0")).await);
            let goes_on = tx.execute("INSERT INTO visits DEFAULT VALUES", &[]).await.is_ok();
            assert_eq!(goes_on, loser.savepoint, "{}", loser.name);
            tx.commit().await.unwrap();
            assert_eq!(visits(&h).await - rows, if loser.savepoint { 2 } else { 0 }, "{}", loser.name);
        }
    }
    winner.rollback().await.unwrap();
}
