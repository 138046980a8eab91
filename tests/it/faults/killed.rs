//! The server ends a session whose statement waits for somebody.

use super::{audit::assert_whole, twins::*, wait::*};
use crate::support::*;
use slotkeeper::{Error, hold::*};
use std::sync::Arc;

/// Somebody else holds what the call needs in an open transaction; its session is ended meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ended_while_it_waits_leaves_nothing_and_the_repeat_settles_it() {
    let h = Arc::new(House::open().await);
    for name in RECORDED {
        let t = h.tables(2).await;
        for inside in [false, true] {
            let call = Recorded::prepare(&h, &t, name, i64::from(inside) * 60).await;
            let twin = call.clone();
            let mut winner = h.pool.get().await.unwrap();
            let tx = winner.transaction().await.unwrap();
            // The same call, not committed: the second one waits behind it.
            let first = twin.send(&h.keeper, &tx).await.unwrap();
            let digest = h.digest().await;

            let (house, waiting) = (Arc::clone(&h), call.clone());
            let waiting = tokio::spawn(async move {
                let pool = house.db.pool(1);
                if !inside {
                    return waiting.send(&house.keeper, &pool).await;
                }
                let mut client = pool.get().await.unwrap();
                let tx = client.transaction().await.unwrap();
                waiting.send(&house.keeper, &tx).await
            });
            let pids = waiters(&h, 1).await;
            kill(&h, pids[0]).await;
            let error = waiting.await.unwrap().unwrap_err();
            match inside {
                true => assert!(matches!(error, Error::Unavailable(_)), "{name}: {error:?}"),
                false => assert!(matches!(error, Error::OutcomeUnknown(_)), "{name}: {error:?}"),
            }
            assert_eq!(error.sqlstate(), Some("57P01"), "{name}");
            assert_eq!(h.digest().await, digest, "{name}");
            tx.rollback().await.unwrap();
            let settled = call.send(&h.keeper, &h.pool).await.unwrap();
            assert!(!settled.is_replay() && settled.outcome == first.outcome, "{name}: {settled:?}");
            assert!(call.send(&h.keeper, &h.pool).await.unwrap().is_replay(), "{name}");
        }
    }
    assert_whole(&h).await;
}

/// A statement that is cancelled has an answer: it did not happen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_statement_is_busy_not_unknown() {
    let h = Arc::new(House::open().await);
    let table = h.table().await;
    let mut winner = h.pool.get().await.unwrap();
    let tx = winner.transaction().await.unwrap();
    let place = || PlaceHold::new(h.tenant, one(table, 0, 30));
    h.keeper.holds().place(&tx, &place()).await.unwrap();
    let (house, second) = (Arc::clone(&h), place());
    let call = tokio::spawn(async move { house.keeper.holds().place(&house.pool, &second).await });
    let pid = waiters(&h, 1).await[0];
    h.sql(&format!("SELECT pg_cancel_backend({pid})")).await;
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Busy(_)), "{error:?}");
    assert_eq!(error.sqlstate(), Some("57014"));
    tx.rollback().await.unwrap();
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.holds").await, 0);
}
