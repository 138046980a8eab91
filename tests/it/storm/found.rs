//! What the storm found, one by one, with the losing call held up until the winner has committed.

use crate::support::*;
use slotkeeper::{
    BookingId,
    booking::{BookPlaces, CancelBooking, MoveBooking, RequestBooking},
    confirmation::Outcome,
};
use std::time::Duration;

/// Until one call of this database waits for a row.
async fn somebody_waits(h: &House) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                      AND wait_event_type = 'Lock'";
    let watch = async {
        while h.count(waiting).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), watch).await.expect("the loser waits for the winner");
}

async fn live_rows(h: &House) -> i64 {
    h.count("SELECT count(*) FROM slotkeeper.allocations WHERE released_at IS NULL").await
}

async fn cancel_meanwhile(h: &House, booking: BookingId) -> tokio::task::JoinHandle<Outcome> {
    let (keeper, pool) = (h.keeper.clone(), h.pool.clone());
    let cancel = CancelBooking::new(h.tenant, booking, fresh_key());
    let task = tokio::spawn(async move { keeper.bookings().cancel(&pool, &cancel).await.unwrap().outcome });
    somebody_waits(h).await;
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
    somebody_waits(&h).await;
    tx.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), Outcome::Moved);
    assert_eq!(live_rows(&h).await, 1, "a booking of one place holds one");
}
