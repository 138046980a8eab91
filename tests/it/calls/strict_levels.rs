//! REPEATABLE READ and SERIALIZABLE: the transaction's snapshot never sees the winner, so no repeat can name it.

use super::{
    losers::{Ending, losers, winners},
    stage::Stage,
    state::{Saved, VISITS, somebody_waits, visit, visits},
    successes::writes,
};
use crate::{calls::act::Answer, support::*};
use slotkeeper::{Error, IdempotencyKey, Retry, booking::BookPlaces, confirmation::Operation};
use tokio_postgres::{
    IsolationLevel::{RepeatableRead, Serializable},
    error::SqlState,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_race_lost_under_a_stricter_level_is_busy_and_the_repeated_transaction_names_the_winner() {
    let h = House::open().await;
    h.sql(VISITS).await;
    let mut client = h.pool.get().await.unwrap();
    let stage = Stage::open(&h).await;
    let saved = Saved::of(&h).await;
    for (level, waits) in
        [(RepeatableRead, false), (RepeatableRead, true), (Serializable, false), (Serializable, true)]
    {
        for loser in losers() {
            saved.restore().await;
            let winner = &winners(&stage)[1];
            let mut other = h.pool.get().await.unwrap();
            let tx = client.build_transaction().isolation_level(level).start().await.unwrap();
            // The host's own write takes the snapshot.
            visit(&tx).await;
            let first = other.transaction().await.unwrap();
            h.keeper.holds().place(&first, winner).await.unwrap();
            let ending = if waits {
                let commit = async {
                    somebody_waits(&h).await;
                    first.commit().await.unwrap();
                };
                tokio::join!((loser.attempt)(&stage, &tx), commit).0
            } else {
                first.commit().await.unwrap();
                (loser.attempt)(&stage, &tx).await
            };
            let what = format!("{level:?} {waits} {}", loser.name);
            let error = ending.expect_err(&what);
            assert!(matches!(error, Error::Busy(_)), "{what}: {error:?}");
            assert_eq!(error.retry(), Retry::After, "{what}");
            tx.rollback().await.unwrap();

            let tx = client.build_transaction().isolation_level(level).start().await.unwrap();
            visit(&tx).await;
            let again = (loser.attempt)(&stage, &tx).await.unwrap();
            assert!(matches!(again, Ending::Lost(blockers) if !blockers.is_empty()), "{what}");
            tx.rollback().await.unwrap();
        }
    }
    assert_eq!(visits(&h).await, 0);
    assert_eq!(h.overlaps().await, 0);
}

#[tokio::test]
async fn without_a_race_every_write_works_under_a_stricter_level() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    let mut client = h.pool.get().await.unwrap();
    for level in [RepeatableRead, Serializable] {
        for write in writes() {
            let tx = client.build_transaction().isolation_level(level).start().await.unwrap();
            assert_eq!((write.act)(&stage, &tx).await, Answer::Done, "{level:?} {}", write.name);
            tx.rollback().await.unwrap();
        }
    }
}

/// Each has seen that the other was not decided yet: in no order of the two would both have seen that.
#[tokio::test]
async fn under_serializable_the_commit_of_a_refusal_can_fail_and_the_repeat_answers() {
    let h = House::open().await;
    let table = h.table().await;
    let keys = [fresh_key(), fresh_key()];
    let book = |key: &IdempotencyKey| BookPlaces::new(h.tenant, one(table, 0, 30), key.clone());
    assert!(h.keeper.bookings().book(&h.pool, &book(&fresh_key())).await.unwrap().outcome.is_success());
    let asks = keys.each_ref().map(book);
    let records = async || h.count("SELECT count(*) FROM slotkeeper.confirmations").await;
    let (mut first, mut second) = (h.pool.get().await.unwrap(), h.pool.get().await.unwrap());
    let early = first.build_transaction().isolation_level(Serializable).start().await.unwrap();
    let late = second.build_transaction().isolation_level(Serializable).start().await.unwrap();
    for (tx, key) in [(&early, &keys[1]), (&late, &keys[0])] {
        let record = h.keeper.confirmations().find_by_key(tx, h.tenant, Operation::Book, key);
        assert!(record.await.unwrap().is_none());
    }
    for (tx, ask) in [&early, &late].into_iter().zip(&asks) {
        assert_eq!(h.keeper.bookings().book(tx, ask).await.unwrap().outcome.code(), "conflict");
    }
    early.commit().await.unwrap();
    assert_eq!(records().await, 2, "the booking and the first refusal");
    let failed = late.commit().await.unwrap_err();
    assert_eq!(failed.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE));
    assert_eq!(records().await, 2, "nothing of the other");

    let again = second.build_transaction().isolation_level(Serializable).start().await.unwrap();
    assert_eq!(h.keeper.bookings().book(&again, &asks[1]).await.unwrap().outcome.code(), "conflict");
    again.commit().await.unwrap();
    assert_eq!(records().await, 3);
}
