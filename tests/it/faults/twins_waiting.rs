//! A twin behind the open transaction of the first: it waits, then replays, or executes if the first gave up.

use super::{act::body, audit::assert_whole, twins::*, wait::*};
use crate::support::*;
use slotkeeper::{Error, booking::*, confirmation::Outcome, hold::*};
use std::sync::Arc;

/// Scenario 46, the slow way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_twin_waits_for_the_first_ones_transaction_and_then_replays_or_executes() {
    let h = Arc::new(House::open().await);
    for name in RECORDED {
        let t = h.tables(2).await;
        for (from, commits) in [(0, true), (60, false)] {
            let call = Recorded::prepare(&h, &t, name, from).await;
            let mut client = h.pool.get().await.unwrap();
            let tx = client.transaction().await.unwrap();
            let first = call.send(&h.keeper, &tx).await.unwrap();
            let (house, twin) = (Arc::clone(&h), call.clone());
            let twin = tokio::spawn(async move { twin.send(&house.keeper, &house.pool).await.unwrap() });
            waiters(&h, 1).await;
            assert!(!twin.is_finished(), "{name}");
            if commits {
                tx.commit().await.unwrap()
            } else {
                tx.rollback().await.unwrap()
            }
            let second = twin.await.unwrap();
            assert!(first.outcome.is_success() && second.outcome.is_success(), "{name}: {second:?}");
            assert_eq!(second.is_replay(), commits, "{name}");
            assert_eq!(body(&first) == body(&second), commits, "{name}");
        }
    }
    assert_whole(&h).await;
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// The same for a hold, whose id is its key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_twin_of_a_hold_waits_and_then_has_the_first_ones_hold() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    for (from, count, commits) in [(0, 1, true), (60, 1, false), (120, 2, true), (180, 2, false)] {
        let place = PlaceHold::new(h.tenant, all(&t[..count], from, from + 30));
        let mut client = h.pool.get().await.unwrap();
        let tx = client.transaction().await.unwrap();
        let first = h.keeper.holds().place(&tx, &place).await.unwrap();
        let house = Arc::clone(&h);
        let twin =
            tokio::spawn(async move { house.keeper.holds().place(&house.pool, &place).await.unwrap() });
        waiters(&h, 1).await;
        if commits {
            tx.commit().await.unwrap()
        } else {
            tx.rollback().await.unwrap()
        }
        let second = twin.await.unwrap();
        assert_eq!(second.id, first.id);
        assert_eq!(second == first, commits);
    }
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.holds").await, 4);
    assert_whole(&h).await;
}

/// The same request twice, each in a transaction, where the first was refused by a place that became free before the
/// second looked. The second claims it, then meets the first one's record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_twin_in_a_transaction_that_finds_the_place_free_meanwhile_is_never_a_second_answer() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    for count in [1, 2] {
        let hold = h.keeper.holds().place(&h.pool, &PlaceHold::new(h.tenant, all(&t, 0, 30))).await.unwrap();
        let book = BookPlaces::new(h.tenant, all(&t[..count], 0, 30), fresh_key());
        let mut client = h.pool.get().await.unwrap();
        let tx = client.transaction().await.unwrap();
        let first = h.keeper.bookings().book(&tx, &book).await.unwrap();
        assert!(matches!(first.outcome, Outcome::Conflict { .. }), "{first:?}");
        h.keeper.holds().release(&h.pool, &ReleaseHold::new(h.tenant, hold.id)).await.unwrap();

        let (house, twin) = (Arc::clone(&h), book.clone());
        let twin = tokio::spawn(async move {
            let mut client = house.pool.get().await.unwrap();
            let tx = client.transaction().await.unwrap();
            let answer = house.keeper.bookings().book(&tx, &twin).await;
            let usable = house.keeper.bookings().book(&tx, &twin).await;
            (answer, usable)
        });
        waiters(&h, 1).await;
        tx.commit().await.unwrap();
        let (answer, usable) = twin.await.unwrap();
        if count == 1 {
            // Without a savepoint: the documented exception.
            assert!(matches!(answer, Err(Error::Busy(_))), "{answer:?}");
            assert!(matches!(usable, Err(Error::TransactionAborted)), "{usable:?}");
        } else {
            assert_eq!(body(&answer.unwrap()), body(&first));
            assert!(usable.unwrap().is_replay());
        }
        assert_eq!(body(&h.keeper.bookings().book(&h.pool, &book).await.unwrap()), body(&first));
    }
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.bookings").await, 0);
    assert_whole(&h).await;
}
