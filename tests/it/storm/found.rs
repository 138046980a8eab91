//! What the storm found, one by one, with the losing call held up until the winner has committed.

use crate::support::*;
use slotkeeper::{
    BookingId, Claim, Error, HoldId,
    booking::{BookPlaces, CancelBooking, MoveBooking, RequestBooking},
    confirmation::Outcome,
    hold::{Hold, PlaceHold},
};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Until so many sessions of this database wait for a lock.
pub async fn waiting(h: &House, sessions: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                      AND wait_event_type = 'Lock'";
    let watch = async {
        while h.count(waiting).await != sessions {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), watch).await.expect("they wait");
}

async fn live_rows(h: &House) -> i64 {
    h.count("SELECT count(*) FROM slotkeeper.allocations WHERE released_at IS NULL").await
}

async fn cancel_meanwhile(h: &House, booking: BookingId) -> JoinHandle<Outcome> {
    let (keeper, pool) = (h.keeper.clone(), h.pool.clone());
    let cancel = CancelBooking::new(h.tenant, booking, fresh_key());
    let task = tokio::spawn(async move { keeper.bookings().cancel(&pool, &cancel).await.unwrap().outcome });
    waiting(h, 1).await;
    task
}

/// The rows a move writes are none that the waiting cancellation could see when it began.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_while_the_booking_is_moved_frees_its_new_place() {
    let h = House::open().await;
    let table = h.table().await;
    let book = BookPlaces::new(h.tenant, one(table, 600, 630), fresh_key());
    let booking = h.keeper.bookings().book(&h.pool, &book).await.unwrap().booking.unwrap();
    let mut client = h.pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let request = MoveBooking::new(h.tenant, booking, 1, one(table, 700, 730), fresh_key());
    assert_eq!(h.keeper.bookings().move_to(&tx, &request).await.unwrap().outcome, Outcome::Moved);
    let cancel = cancel_meanwhile(&h, booking).await;
    tx.commit().await.unwrap();
    assert_eq!(cancel.await.unwrap(), Outcome::Cancelled);
    assert_eq!(live_rows(&h).await, 0, "a cancelled booking holds no place");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_while_the_booking_is_approved_frees_its_place() {
    let h = House::open().await;
    let table = h.table().await;
    let request = RequestBooking::new(h.tenant, window(600, 630));
    let booking = h.keeper.bookings().request(&h.pool, &request).await.unwrap();
    let mut client = h.pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let approve = BookPlaces::new(h.tenant, one(table, 600, 630), fresh_key()).for_pending(booking);
    assert_eq!(h.keeper.bookings().book(&tx, &approve).await.unwrap().outcome, Outcome::Confirmed);
    let cancel = cancel_meanwhile(&h, booking).await;
    tx.commit().await.unwrap();
    assert_eq!(cancel.await.unwrap(), Outcome::Cancelled);
    assert_eq!(live_rows(&h).await, 0, "a cancelled booking holds no place");
}

/// A guessed revision: the second move is decided on a booking whose rows it cannot see yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moving_on_a_revision_that_is_being_made_gives_up_every_earlier_place() {
    let h = House::open().await;
    let table = h.table().await;
    let book = BookPlaces::new(h.tenant, one(table, 600, 630), fresh_key());
    let booking = h.keeper.bookings().book(&h.pool, &book).await.unwrap().booking.unwrap();
    let mut client = h.pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let first = MoveBooking::new(h.tenant, booking, 1, one(table, 700, 730), fresh_key());
    assert_eq!(h.keeper.bookings().move_to(&tx, &first).await.unwrap().outcome, Outcome::Moved);
    let (keeper, pool) = (h.keeper.clone(), h.pool.clone());
    let second = MoveBooking::new(h.tenant, booking, 2, one(table, 800, 830), fresh_key());
    let second =
        tokio::spawn(async move { keeper.bookings().move_to(&pool, &second).await.unwrap().outcome });
    waiting(&h, 1).await;
    tx.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), Outcome::Moved);
    assert_eq!(live_rows(&h).await, 1, "a booking of one place holds one");
}

/// Holds places and lets them expire.
pub async fn expired(h: &House, claim: Claim) -> HoldId {
    let hold = h.keeper.holds().place(&h.pool, &PlaceHold::new(h.tenant, claim)).await.unwrap().id;
    h.sql(&format!(
        "UPDATE slotkeeper.holds SET expires_at = now() - interval '1 ms' WHERE id = '{hold}';
         UPDATE slotkeeper.allocations SET expires_at = now() - interval '1 ms' WHERE claim_id = '{hold}'"
    ))
    .await;
    hold
}

fn place(h: &House, claim: Claim) -> JoinHandle<Result<Hold, Error>> {
    let (keeper, pool, new) = (h.keeper.clone(), h.pool.clone(), PlaceHold::new(h.tenant, claim));
    tokio::spawn(async move { keeper.holds().place(&pool, &new).await })
}

/// A claim of two resources that began before some rows were placed, and a claim of one that takes those rows over: the
/// first has the last row and meets the first one, the second has the first row and wants the last one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taking_over_on_one_resource_and_on_two_never_wait_for_each_other() {
    let h = House::open().await;
    let t = h.tables(2).await;
    expired(&h, one(t[1], 60, 90)).await;
    // The wide claim looks, and then waits for its first resource.
    let mut first = h.db.client().await.unwrap();
    let gate = first.transaction().await.unwrap();
    let lock = "SELECT FROM slotkeeper.resources WHERE id = $1 FOR NO KEY UPDATE";
    gate.execute(lock, &[&t[0]]).await.unwrap();
    let wide = place(&h, all(&t, 0, 90));
    waiting(&h, 1).await;
    // Two more rows expire on the second; the narrow claim takes the first of them and waits for the other.
    expired(&h, one(t[1], 0, 30)).await;
    let middle = expired(&h, one(t[1], 30, 60)).await;
    let mut second = h.db.client().await.unwrap();
    let latch = second.transaction().await.unwrap();
    let lock = "SELECT FROM slotkeeper.allocations WHERE claim_id = $1 FOR UPDATE";
    latch.execute(lock, &[&middle]).await.unwrap();
    let narrow = place(&h, one(t[1], 0, 90));
    waiting(&h, 2).await;
    // The wide claim goes on until the narrow one is in its way.
    gate.commit().await.unwrap();
    let moved_on = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                       AND wait_event_type = 'Lock' AND cardinality(pg_blocking_pids(pid)) = 1
                       AND pg_blocking_pids(pid) <@ ARRAY(SELECT pid FROM pg_stat_activity
                           WHERE datname = current_database() AND wait_event_type = 'Lock')";
    let watch = async {
        while h.count(moved_on).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), watch)
        .await
        .expect("the wide claim waits for the narrow one");
    latch.commit().await.unwrap();
    let (wide, narrow) = (wide.await.unwrap(), narrow.await.unwrap());
    assert!(narrow.is_ok(), "{narrow:?}");
    assert!(matches!(&wide, Err(Error::Conflict { blockers }) if blockers.len() == 1), "{wide:?}");
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}
