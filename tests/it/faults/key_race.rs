//! One key, two different requests, at the same moment: one executes, the other is told that the key is used.

use super::{audit::assert_whole, wait::*};
use crate::support::*;
use slotkeeper::{Error, ResourceId, Result, booking::*, confirmation::Decision, hold::*};
use std::sync::Arc;
use tokio::sync::Barrier;

/// Runs both at once.
async fn race<T: Send + 'static>(
    one: impl Future<Output = T> + Send + 'static,
    two: impl Future<Output = T> + Send + 'static,
) -> (T, T) {
    let start = Arc::new(Barrier::new(2));
    let other = Arc::clone(&start);
    let one = tokio::spawn(async move {
        start.wait().await;
        one.await
    });
    let two = tokio::spawn(async move {
        other.wait().await;
        two.await
    });
    (one.await.unwrap(), two.await.unwrap())
}

fn one_executes<T: std::fmt::Debug>(answers: (Result<T>, Result<T>), field: &str) {
    let ((Ok(_), Err(error)) | (Err(error), Ok(_))) = &answers else { panic!("{answers:?}") };
    assert!(matches!(error, Error::KeyReused { field: found } if *found == field), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_requests_under_one_key_one_executes_and_the_other_is_key_reused() {
    let h = Arc::new(House::open().await);
    let t = h.tables(4).await;
    for round in 0..100 {
        // Of one resource and of several: two statements.
        let count = if round % 2 == 0 { 1 } else { 2 };
        let (from, key) = (round * 60, fresh_key());
        let book = |t: &[ResourceId]| {
            let (h, new) = (Arc::clone(&h), BookPlaces::new(h.tenant, all(t, from, from + 30), key.clone()));
            async move { h.keeper.bookings().book(&h.pool, &new).await }
        };
        let answers: (Result<Decision>, Result<Decision>) =
            race(book(&t[..count]), book(&t[2..][..count])).await;
        one_executes(answers, "resources");
    }
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.confirmations").await, 100);
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.bookings").await, 100);
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.allocations WHERE released_at IS NULL").await, 150);
    assert_whole(&h).await;
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_holds_confirmed_or_bookings_moved_under_one_key_one_is() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    for round in 0..40 {
        let from = round * 60;
        let place = async |n: usize| {
            let new = PlaceHold::new(h.tenant, one(t[n], from, from + 20));
            h.keeper.holds().place(&h.pool, &new).await.unwrap().id
        };
        let (one_hold, two_hold, key) = (place(0).await, place(1).await, fresh_key());
        let confirm = |hold| {
            let (h, confirm) = (Arc::clone(&h), ConfirmHold::new(h.tenant, hold, key.clone()));
            let confirm = if round % 2 == 0 { confirm } else { confirm.if_still_free() };
            async move { h.keeper.bookings().confirm(&h.pool, &confirm).await }
        };
        one_executes(race(confirm(one_hold), confirm(two_hold)).await, "hold");

        let new = BookPlaces::new(h.tenant, one(t[0], from + 40, from + 50), fresh_key());
        let booking = h.keeper.bookings().book(&h.pool, &new).await.unwrap().booking.unwrap();
        let other = BookPlaces::new(h.tenant, one(t[1], from + 40, from + 50), fresh_key());
        let other = h.keeper.bookings().book(&h.pool, &other).await.unwrap().booking.unwrap();
        let to = |booking, n: usize| {
            let claim = one(t[n], from + 30, from + 40);
            let (h, to) = (Arc::clone(&h), MoveBooking::new(h.tenant, booking, 1, claim, key.clone()));
            async move { h.keeper.bookings().move_to(&h.pool, &to).await }
        };
        one_executes(race(to(booking, 0), to(other, 1)).await, "booking");
        let cancel = |booking| {
            let (h, cancel) = (Arc::clone(&h), CancelBooking::new(h.tenant, booking, key.clone()));
            async move { h.keeper.bookings().cancel(&h.pool, &cancel).await }
        };
        one_executes(race(cancel(booking), cancel(other)).await, "booking");
    }
    assert_whole(&h).await;
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_requests_under_one_hold_id_one_is_placed() {
    let h = Arc::new(House::open().await);
    let t = h.tables(4).await;
    for round in 0..60 {
        let count = if round % 2 == 0 { 1 } else { 2 };
        let (from, id) = (round * 60, slotkeeper::HoldId::generate());
        let place = |t: &[ResourceId]| {
            let (h, new) = (Arc::clone(&h), PlaceHold::new(h.tenant, all(t, from, from + 30)).with_id(id));
            async move { h.keeper.holds().place(&h.pool, &new).await }
        };
        one_executes(race(place(&t[..count]), place(&t[2..][..count])).await, "resources");
    }
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.holds").await, 60);
    assert_whole(&h).await;
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// In a caller's transaction a claim of one resource runs without a savepoint: the documented exception is Busy, and
/// the transaction is to be repeated. With a savepoint (several resources) there is no exception.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inside_a_transaction_the_second_request_is_busy_or_key_reused_and_writes_nothing() {
    let h = Arc::new(House::open().await);
    let t = h.tables(4).await;
    for count in [1, 2] {
        let key = fresh_key();
        let from = 60 * i64::try_from(count).unwrap();
        let book = |t: &[ResourceId]| BookPlaces::new(h.tenant, all(t, from, from + 30), key.clone());
        let (first, second) = (book(&t[..count]), book(&t[2..][..count]));
        let mut client = h.pool.get().await.unwrap();
        let tx = client.transaction().await.unwrap();
        h.keeper.bookings().book(&tx, &first).await.unwrap().into_result().unwrap();
        let (house, request) = (Arc::clone(&h), second.clone());
        let other = tokio::spawn(async move {
            let mut client = house.pool.get().await.unwrap();
            let tx = client.transaction().await.unwrap();
            let answer = house.keeper.bookings().book(&tx, &request).await;
            let usable = tx.batch_execute("SELECT 1").await.is_ok();
            (answer, usable)
        });
        waiters(&h, 1).await;
        tx.commit().await.unwrap();
        let (answer, usable) = other.await.unwrap();
        match count {
            1 => assert!(matches!(answer, Err(Error::Busy(_))) && !usable, "{answer:?}"),
            _ => assert!(matches!(answer, Err(Error::KeyReused { .. })) && usable, "{answer:?}"),
        }
        let repeated = h.keeper.bookings().book(&h.pool, &second).await;
        assert!(matches!(repeated, Err(Error::KeyReused { field: "resources" })), "{repeated:?}");
    }
    assert_whole(&h).await;
}
