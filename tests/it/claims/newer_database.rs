//! An old process beside a newer database: what it does not know it shows as unknown, and leaves alone.

use super::common::*;
use slotkeeper::booking::BookingStatus;

/// As a newer schema would be: other states, other kinds.
async fn newer(h: &House) {
    for domain in ["booking_status", "hold_status", "allocation_kind"] {
        h.sql(&format!("ALTER DOMAIN slotkeeper.{domain} DROP CONSTRAINT {domain}_check")).await;
    }
}

#[tokio::test]
async fn a_booking_in_an_unknown_state_is_shown_as_such_and_never_written() {
    let h = House::open().await;
    let t = h.tables(2).await;
    newer(&h).await;
    let booking = booked(&h, one(t[0], 0, 30)).await;
    h.sql("UPDATE slotkeeper.bookings SET status = 'checked_in'").await;
    let found = h.keeper.bookings().find(&h.pool, h.tenant, booking).await.unwrap().unwrap();
    assert_eq!(found.status, BookingStatus::Unknown);
    let before = h.digest().await;
    let request = CancelBooking::new(h.tenant, booking, fresh_key());
    let refused = h.keeper.bookings().cancel(&h.pool, &request).await.unwrap_err();
    assert!(matches!(refused, Error::UnknownState { what: "booking" }), "{refused:?}");
    assert_eq!((refused.code(), h.digest().await), ("unknown_state", before));
    // A move names the state it met, and records it.
    let moved = move_to(&h, booking, 1, one(t[1], 0, 30)).await;
    let Outcome::StateMismatch { actual, .. } = moved.outcome else { panic!("{moved:?}") };
    assert_eq!((actual, live(&h, found.claim.unwrap()).await), (BookingStatus::Unknown, 1));
}

#[tokio::test]
async fn a_hold_in_an_unknown_state_is_shown_as_such_and_never_written() {
    let h = House::open().await;
    let t = h.tables(2).await;
    newer(&h).await;
    let held = hold(&h, one(t[0], 0, 30)).await;
    h.sql("UPDATE slotkeeper.holds SET status = 'approved'").await;
    let holds = h.keeper.holds();
    let found = holds.find(&h.pool, h.tenant, held.id).await.unwrap().unwrap();
    assert_eq!(found.status, HoldStatus::Unknown);
    let before = h.digest().await;
    let later = held.expires_at + chrono::TimeDelta::minutes(1);
    let bookings = h.keeper.bookings();
    let new = PlaceHold::new(h.tenant, one(t[1], 0, 30));
    let confirm = || ConfirmHold::new(h.tenant, held.id, fresh_key());
    let refusals = [
        holds.extend(&h.pool, &ExtendHold::new(h.tenant, held.id, later).unwrap()).await.map(drop),
        holds.release(&h.pool, &ReleaseHold::new(h.tenant, held.id)).await,
        holds.replace(&h.pool, &ReplaceHold::new(held.id, new)).await.map(drop),
        bookings.confirm(&h.pool, &confirm()).await.map(drop),
        bookings.confirm(&h.pool, &confirm().if_still_free()).await.map(drop),
    ];
    for (n, refused) in refusals.into_iter().enumerate() {
        assert!(matches!(refused, Err(Error::UnknownState { what: "hold" })), "{n}: {refused:?}");
    }
    assert_eq!(h.digest().await, before);
}

#[tokio::test]
async fn an_unknown_kind_an_unknown_operation_and_an_unknown_outcome_can_be_read() {
    let h = House::open().await;
    let t = h.tables(1).await;
    newer(&h).await;
    let booking = booked(&h, one(t[0], 0, 30)).await;
    h.sql("UPDATE slotkeeper.allocations SET kind = 'seated'").await;
    let kinds: Vec<_> =
        h.keeper.allocations().list_by_resource(&h.pool, h.tenant, t[0], window(0, 60)).await.unwrap();
    assert_eq!(kinds[0].kind, AllocationKind::Unknown);
    // It is in the way all the same.
    let refused = book(&h, one(t[0], 10, 20)).await;
    let Outcome::Conflict { blockers } = &refused.outcome else { panic!("{refused:?}") };
    assert_eq!(blockers[0].kind, Some(AllocationKind::Unknown));
    let change = "UPDATE slotkeeper.confirmations SET operation = 'check_in', outcome = 'checked_in',
        snapshot = snapshot || '{\"operation\": \"check_in\"}' WHERE booking_id IS NOT NULL";
    h.sql(change).await;
    let records = h.keeper.confirmations().list_by_booking(&h.pool, h.tenant, booking).await.unwrap();
    assert_eq!((records[0].operation, records[0].outcome.as_str()), (Operation::Unknown, "checked_in"));
    assert_eq!(records[0].outcome(), Some(Outcome::Unknown));
}
