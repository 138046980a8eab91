//! Time kept free around a window blocks like the window itself.

use super::common::*;
use chrono::TimeDelta;

fn minutes(before: i64, after: i64) -> Buffers {
    Buffers::new(TimeDelta::minutes(before), TimeDelta::minutes(after)).unwrap()
}

/// Scenario 16.
#[tokio::test]
async fn a_confirm_inside_anothers_buffer_is_a_conflict() {
    let h = House::open().await;
    let table = h.table().await;
    let first = book(&h, one(table, 600, 620).with_buffers(minutes(10, 5)).unwrap()).await;
    for inside in [window(620, 640), window(622, 624), window(580, 600), window(592, 595)] {
        assert_eq!(named(&book(&h, Claim::one(table, inside)).await), taken(&first), "{inside}");
    }
    assert!(try_hold(&h, one(table, 621, 640)).await.is_err());
    let stored = h.keeper.bookings().find(&h.pool, h.tenant, first.booking.unwrap()).await.unwrap().unwrap();
    assert_eq!(
        (stored.window, stored.buffers),
        (window(600, 620), minutes(10, 5)),
        "the customer sees no buffer"
    );
    assert_eq!(first.snapshot.allocations[0].window, window(590, 625), "the place is blocked with it");
}

/// Scenario 17.
#[tokio::test]
async fn after_twenty_minutes_and_a_buffer_of_five_the_next_start_is_twenty_five_past() {
    let h = House::open().await;
    let table = h.table().await;
    booked(&h, one(table, 600, 620).with_buffers(minutes(0, 5)).unwrap()).await;
    let at_20 = book(&h, one(table, 620, 640).with_buffers(minutes(0, 5)).unwrap()).await;
    assert_eq!(at_20.outcome.code(), "conflict");
    let at_25 = book(&h, one(table, 625, 645).with_buffers(minutes(0, 5)).unwrap()).await;
    assert_eq!(at_25.outcome, Outcome::Confirmed);
}

/// Each keeps its own: five minutes after one and ten before the next are fifteen in between.
#[tokio::test]
async fn buffers_of_neighbours_add_up() {
    let h = House::open().await;
    let table = h.table().await;
    booked(&h, one(table, 600, 620).with_buffers(minutes(0, 5)).unwrap()).await;
    let next = |start| one(table, start, start + 20).with_buffers(minutes(10, 0)).unwrap();
    assert_eq!(book(&h, next(634)).await.outcome.code(), "conflict");
    assert_eq!(book(&h, next(635)).await.outcome, Outcome::Confirmed);
}

/// Scenario 20.
#[tokio::test]
async fn a_confirm_that_asks_for_another_window_is_refused_and_never_silent() {
    let h = House::open().await;
    let table = h.table().await;
    let held = hold(&h, one(table, 600, 660).with_buffers(minutes(5, 5)).unwrap()).await;
    let ask = |window| ConfirmHold::new(h.tenant, held.id, fresh_key()).expecting_window(window);
    let refused = confirm(&h, ask(window(600, 720))).await;
    let expected = Outcome::WindowMismatch { expected: window(600, 660), actual: Some(window(600, 720)) };
    assert_eq!((refused.outcome, refused.booking), (expected, None));
    // With its buffers the window is the blocked one, which nobody asked for either.
    assert_eq!(confirm(&h, ask(window(595, 665))).await.outcome.code(), "window_mismatch");
    assert_eq!(confirm(&h, ask(window(600, 660))).await.outcome, Outcome::Confirmed);
    assert_eq!(recorded(&h).await, 3);
}

/// Scenario 20, for an approval: what was requested is what is confirmed.
#[tokio::test]
async fn an_approval_for_another_window_than_requested_is_refused() {
    let h = House::open().await;
    let table = h.table().await;
    let request = RequestBooking::new(h.tenant, window(600, 660));
    let pending = h.keeper.bookings().request(&h.pool, &request).await.unwrap();
    let book = BookPlaces::new(h.tenant, one(table, 600, 720), fresh_key()).for_pending(pending);
    let refused = h.keeper.bookings().book(&h.pool, &book).await.unwrap();
    let expected = Outcome::WindowMismatch { expected: window(600, 660), actual: Some(window(600, 720)) };
    assert_eq!(refused.outcome, expected);
    let held = hold(&h, one(table, 600, 720)).await;
    let refused = confirm(&h, ConfirmHold::new(h.tenant, held.id, fresh_key()).for_pending(pending)).await;
    let expected = Outcome::WindowMismatch { expected: window(600, 660), actual: Some(window(600, 720)) };
    assert_eq!((refused.outcome, refused.booking), (expected, Some(pending)));
    assert_eq!(live(&h, held.id).await, 1, "the hold stays");
}
