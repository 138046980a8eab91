//! Where two outcomes apply, the first of the table is given.

use super::common::*;
use slotkeeper::BookingId;

async fn code(h: &House, request: ConfirmHold) -> &'static str {
    confirm(h, request).await.outcome.code()
}

async fn pending(h: &House, from: i64, to: i64) -> BookingId {
    h.keeper.bookings().request(&h.pool, &RequestBooking::new(h.tenant, window(from, to))).await.unwrap()
}

#[tokio::test]
async fn a_known_key_answers_before_anything_is_looked_at() {
    let h = House::open().await;
    let table = h.table().await;
    let held = hold(&h, one(table, 0, 30)).await.id;
    let ask = ConfirmHold::new(h.tenant, held, key("k"));
    let first = confirm(&h, ask.clone()).await;
    h.sql(
        "DELETE FROM slotkeeper.holds; DELETE FROM slotkeeper.allocations; DELETE FROM slotkeeper.bookings",
    )
    .await;
    let replay = confirm(&h, ask).await;
    assert!(replay.is_replay() && replay.snapshot == first.snapshot, "replayed before not found");
    let other = ConfirmHold::new(h.tenant, HoldId::generate(), key("k"));
    let reused = h.keeper.bookings().confirm(&h.pool, &other).await.unwrap_err();
    assert!(matches!(reused, Error::KeyReused { field: "hold" }), "key reused before not found: {reused:?}");
}

#[tokio::test]
async fn not_found_comes_before_a_state_that_does_not_fit() {
    let h = House::open().await;
    let table = h.table().await;
    let booking = booked(&h, one(table, 0, 30)).await;
    for ask in [
        ConfirmHold::new(h.tenant, HoldId::generate(), fresh_key()).for_pending(booking),
        ConfirmHold::new(h.tenant, HoldId::generate(), fresh_key()).as_booking(booking),
    ] {
        for ask in [ask.clone(), ask.if_still_free()] {
            let error = h.keeper.bookings().confirm(&h.pool, &ask).await.unwrap_err();
            assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
        }
    }
    let _ = cancel(&h, booking).await;
    let ask = MoveBooking::new(h.tenant, booking, 1, one(ResourceId::generate(), 0, 30), fresh_key());
    let error = h.keeper.bookings().move_to(&h.pool, &ask).await.unwrap_err();
    assert!(matches!(error, Error::ResourceNotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn the_state_of_the_booking_comes_before_the_state_of_the_hold() {
    let h = House::open().await;
    let t = h.tables(4).await;
    let booking = booked(&h, one(t[0], 0, 30)).await;
    let consumed = hold(&h, one(t[1], 0, 30)).await.id;
    let _ = confirm_hold(&h, consumed).await;
    let released = hold(&h, one(t[2], 0, 30)).await.id;
    release(&h, released).await;
    let expired = hold(&h, one(t[3], 0, 31)).await.id;
    expire(&h, expired).await;
    for hold in [consumed, released, expired] {
        let ask = || ConfirmHold::new(h.tenant, hold, fresh_key()).expecting_window(window(5, 6));
        assert_eq!(code(&h, ask().for_pending(booking)).await, "state_mismatch");
        assert_eq!(code(&h, ask().for_pending(booking).if_still_free()).await, "state_mismatch");
        assert_eq!(code(&h, ask().as_booking(booking)).await, "state_mismatch");
    }
}

/// Each of these holds is expired too, and asked for with another window.
#[tokio::test]
async fn the_state_of_the_hold_comes_before_its_window_and_its_expiry() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let consumed = hold(&h, one(t[0], 0, 30)).await.id;
    let _ = confirm_hold(&h, consumed).await;
    let released = hold(&h, one(t[1], 0, 30)).await.id;
    release(&h, released).await;
    h.sql("UPDATE slotkeeper.holds SET expires_at = now() - interval '1 hour'").await;
    booked(&h, one(t[1], 0, 30)).await;
    for (hold, expected) in [(consumed, "hold_consumed"), (released, "hold_released")] {
        let ask = || ConfirmHold::new(h.tenant, hold, fresh_key()).expecting_window(window(5, 6));
        assert_eq!(code(&h, ask()).await, expected);
        assert_eq!(code(&h, ask().if_still_free()).await, expected);
    }
}

#[tokio::test]
async fn the_window_comes_before_expiry_and_before_who_is_in_the_way() {
    let h = House::open().await;
    let table = h.table().await;
    let waiting = pending(&h, 0, 60).await;
    let expired = hold(&h, one(table, 0, 30)).await.id;
    expire(&h, expired).await;
    let ask = || ConfirmHold::new(h.tenant, expired, fresh_key());
    for taken_over in [false, true] {
        if taken_over {
            booked(&h, one(table, 0, 30)).await;
        }
        for ask in [ask().expecting_window(window(0, 31)), ask().for_pending(waiting)] {
            assert_eq!(code(&h, ask.clone().details(BookingDetails::new())).await, "window_mismatch");
            let again = ConfirmHold::new(h.tenant, expired, fresh_key()).expecting_window(window(0, 31));
            assert_eq!(code(&h, again.if_still_free()).await, "window_mismatch");
        }
    }
    assert_eq!(code(&h, ask()).await, "hold_expired", "expiry before who is in the way");
    assert_eq!(code(&h, ask().if_still_free()).await, "conflict");
}

#[tokio::test]
async fn a_booking_is_judged_by_status_then_window_then_who_is_in_the_way() {
    let h = House::open().await;
    let table = h.table().await;
    let other = booked(&h, one(table, 0, 30)).await;
    let waiting = pending(&h, 0, 60).await;
    let ask = |booking| BookPlaces::new(h.tenant, one(table, 0, 30), fresh_key()).for_pending(booking);
    let answer = h.keeper.bookings().book(&h.pool, &ask(waiting)).await.unwrap();
    assert_eq!(answer.outcome.code(), "window_mismatch", "before the conflict");
    let _ = cancel(&h, waiting).await;
    let answer = h.keeper.bookings().book(&h.pool, &ask(waiting)).await.unwrap();
    assert_eq!(answer.outcome.code(), "state_mismatch", "before the window");
    let unknown =
        BookPlaces::new(h.tenant, one(ResourceId::generate(), 0, 30), fresh_key()).for_pending(other);
    let error = h.keeper.bookings().book(&h.pool, &unknown).await.unwrap_err();
    assert!(matches!(error, Error::ResourceNotFound { .. }), "before the status: {error:?}");
}

#[tokio::test]
async fn a_move_is_judged_by_status_then_revision_then_who_is_in_the_way() {
    let h = House::open().await;
    let table = h.table().await;
    let (mine, _other) = (booked(&h, one(table, 0, 30)).await, booked(&h, one(table, 60, 90)).await);
    let stale = move_to(&h, mine, 7, one(table, 60, 90)).await;
    assert_eq!(stale.outcome, Outcome::StaleRevision { expected: 7, actual: 1 }, "before the conflict");
    let _ = cancel(&h, mine).await;
    let gone = move_to(&h, mine, 7, one(table, 60, 90)).await;
    assert_eq!(gone.outcome.code(), "state_mismatch", "before the revision");
}
