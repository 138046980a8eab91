//! Others were first, or are in the way, on a real server.

use std::sync::Arc;
use std::time::Duration;

use slotkeeper::{Error, HoldId, Slotkeeper};
use tokio::sync::Barrier;

use super::mapping::{check, client, place};
use crate::support::*;

/// 40001: the snapshot is older than the winner, so no repeat of the statement can see it.
#[tokio::test]
async fn a_stricter_transaction_that_came_second_is_busy() {
    let h = House::open().await;
    let (t, k) = (h.table().await, &h.keeper);
    for (round, level) in ["REPEATABLE READ", "SERIALIZABLE"].into_iter().enumerate() {
        let from = round as i64 * 60;
        let mut client = client(&h, &format!("SET default_transaction_isolation = '{level}'")).await;
        let tx = client.transaction().await.unwrap();
        assert_eq!(k.holds().find(&tx, h.tenant, HoldId::generate()).await.unwrap(), None);
        k.holds().place(&h.pool, &place(&h, t, from)).await.unwrap();
        check(&k.holds().place(&tx, &place(&h, t, from)).await.unwrap_err(), "busy", Some("40001"));
        check(&k.holds().place(&tx, &place(&h, t, from)).await.unwrap_err(), "transaction_aborted", None);
        tx.rollback().await.unwrap();
        // The whole transaction again has a new snapshot, and so an answer.
        let tx = client.transaction().await.unwrap();
        let answer = k.holds().place(&tx, &place(&h, t, from)).await.unwrap_err();
        assert!(matches!(&answer, Error::Conflict { blockers } if blockers.len() == 1), "{answer:?}");
    }
}

/// 40001 on a session of the library's own is the library's to repeat.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_are_serializable_by_default_still_get_an_answer() {
    let h = House::open().await;
    let t = h.table().await;
    h.sql(&format!("ALTER DATABASE {} SET default_transaction_isolation = 'serializable'", h.db.name()))
        .await;
    let (pool, barrier) = (h.db.pool(8), Arc::new(Barrier::new(8)));
    let mut callers = Vec::new();
    for _ in 0..8 {
        let (keeper, pool, barrier, place) =
            (h.keeper.clone(), pool.clone(), barrier.clone(), place(&h, t, 0));
        callers.push(tokio::spawn(async move {
            barrier.wait().await;
            keeper.holds().place(&pool, &place).await
        }));
    }
    let mut placed = 0;
    for caller in callers {
        match caller.await.unwrap() {
            Ok(_) => placed += 1,
            Err(Error::Conflict { blockers }) => assert_eq!(blockers.len(), 1),
            Err(error) => check(&error, "busy", Some("40001")),
        }
    }
    assert_eq!((placed, h.overlaps().await), (1, 0));
}

/// 40P01, made by two callers whose transactions claim in opposite order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_victim_of_a_deadlock_between_transactions_is_busy() {
    let h = House::open().await;
    let (t, k) = (h.tables(2).await, &h.keeper);
    let mut one = client(&h, "SET deadlock_timeout = '50ms'").await;
    let mut two = client(&h, "SET deadlock_timeout = '50ms'").await;
    let (one, two) = (one.transaction().await.unwrap(), two.transaction().await.unwrap());
    k.holds().place(&one, &place(&h, t[0], 0)).await.unwrap();
    k.holds().place(&two, &place(&h, t[1], 0)).await.unwrap();
    let first = async {
        let answer = k.holds().place(&one, &place(&h, t[1], 0)).await;
        (answer, one.commit().await)
    };
    let second = async {
        let answer = k.holds().place(&two, &place(&h, t[0], 0)).await;
        (answer, two.commit().await)
    };
    let ((first, _), (second, _)) = tokio::join!(first, second);
    let (victim, survivor) = if first.is_err() { (first, second) } else { (second, first) };
    check(&victim.unwrap_err(), "busy", Some("40P01"));
    survivor.unwrap();
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.holds").await, 2, "all of one, nothing of the other");
}

/// 55P03 and 57014 say nothing about whether the window is free, and here it becomes free.
#[tokio::test]
async fn whoever_waits_too_long_is_busy_and_not_refused() {
    let h = House::open().await;
    let (t, k) = (h.table().await, &h.keeper);
    let mut holder = h.db.client().await.unwrap();
    let tx = holder.transaction().await.unwrap();
    k.holds().place(&tx, &place(&h, t, 0)).await.unwrap();
    let patient = Slotkeeper::new().with_lock_timeout(Duration::from_millis(20));
    check(&patient.holds().place(&h.pool, &place(&h, t, 0)).await.unwrap_err(), "busy", Some("55P03"));
    let slow = client(&h, "SET statement_timeout = '50ms'").await;
    check(&k.holds().place(&slow, &place(&h, t, 0)).await.unwrap_err(), "busy", Some("57014"));
    tx.rollback().await.unwrap();
    k.holds().place(&slow, &place(&h, t, 0)).await.unwrap();
}
