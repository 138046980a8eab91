//! A call's future is dropped inside the caller's own transaction: that transaction decides, and it is never half.

use super::{act::*, audit::assert_whole, clean::assert_clean, dropped::*, state::*, wait::*};
use crate::support::*;
use slotkeeper::{Error, booking::*};

/// The caller drops the call and then commits, or rolls back.
#[tokio::test]
async fn a_write_dropped_inside_a_transaction_is_all_or_nothing_as_the_transaction_ends() {
    let h = House::open().await;
    let pool = h.db.pool(1);
    h.keeper.warm(&pool).await.unwrap();
    let (mut committed, mut rolled_back) = (0, 0);
    for write in WRITES {
        for commit in [true, false] {
            if !commit && !WRITES[7..10].contains(&write) {
                continue; // rolling back is the server's work, the same for all
            }
            for polls in 0..MOST {
                let act = Act::prepare(&h, write).await;
                let before = state(&h).await;
                let mut client = pool.get().await.unwrap();
                let tx = client.transaction().await.unwrap();
                let answer = polled(act.run(&h.keeper, &tx), polls, Drop::AtOnce).await;
                if commit {
                    tx.commit().await.unwrap()
                } else {
                    tx.rollback().await.unwrap()
                }
                drop(client);
                let happened = nothing_or_all(&h, &act, &before).await;
                assert!(commit || !happened, "{write}: rolled back");
                assert_clean(&pool).await;
                act.run(&h.keeper, &pool).await.unwrap();
                assert!(nothing_or_all(&h, &act, &before).await, "{write}: the repeat does it, once");
                if let Some(answer) = answer {
                    answer.unwrap();
                    assert_eq!(happened, commit, "{write}");
                    break;
                }
                if commit { committed += i32::from(happened) } else { rolled_back += 1 }
            }
        }
    }
    println!("dropped: {committed} were committed all the same, {rolled_back} rolled back");
    assert!(committed > 0 && rolled_back > 0);
    assert_whole(&h).await;
}

/// Dropping the transaction together with the call, as a cancelled request handler does.
#[tokio::test]
async fn a_transaction_dropped_with_its_call_leaves_nothing_and_a_clean_pool() {
    let h = House::open().await;
    let pool = h.db.pool(1);
    for write in WRITES {
        let act = Act::prepare(&h, write).await;
        let before = state(&h).await;
        let handler = async {
            let mut client = pool.get().await.unwrap();
            let tx = client.transaction().await.unwrap();
            act.run(&h.keeper, &tx).await.unwrap();
            std::future::pending::<()>().await; // never commits
        };
        // Enough polls to have run, unless the handler has fewer to give: then the timeout drops it.
        let dropped = tokio::time::timeout(std::time::Duration::from_millis(15), handler).await;
        dropped.expect_err("it never ends by itself");
        pool.get().await.unwrap().batch_execute("SELECT 1").await.unwrap();
        assert_eq!(state(&h).await, before, "{write}");
        assert_clean(&pool).await;
    }
}

/// A statement under a savepoint is dropped before it loses a race: nobody is there to roll back to the savepoint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_call_that_loses_its_race_fails_the_transaction_loudly() {
    let h = House::open().await;
    let t = h.tables(3).await;
    let mut winner = h.pool.get().await.unwrap();
    let winning = winner.transaction().await.unwrap();
    let win = BookPlaces::new(h.tenant, one(t[2], 0, 30), fresh_key());
    h.keeper.bookings().book(&winning, &win).await.unwrap().into_result().unwrap();

    let pool = h.db.pool(1);
    let mut client = pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let lost = BookPlaces::new(h.tenant, all(&t, 0, 30), fresh_key());
    let bookings = h.keeper.bookings();
    tokio::select! {
        answer = bookings.book(&tx, &lost) => panic!("it waits: {answer:?}"),
        _ = waiters(&h, 1) => {}
    }
    winning.commit().await.unwrap();
    let next = BookPlaces::new(h.tenant, one(t[0], 60, 90), fresh_key());
    let error = bookings.book(&tx, &next).await.unwrap_err();
    assert!(matches!(error, Error::TransactionAborted), "{error:?}");
    tx.rollback().await.unwrap();
    drop(client);
    assert_clean(&pool).await;
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.bookings").await, 1);
    assert_whole(&h).await;
}
