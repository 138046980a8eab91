//! What the random sequences found, one by one.

use crate::support::*;
use slotkeeper::{BookingId, Error, booking::MoveBooking, hold::PlaceHold};

#[tokio::test]
async fn moving_an_unknown_booking_blames_the_booking_and_no_resource() {
    let h = House::open().await;
    let (table, unknown) = (h.table().await, BookingId::generate());
    let request = MoveBooking::new(h.tenant, unknown, 1, one(table, 600, 630), fresh_key());
    let error = h.keeper.bookings().move_to(&h.pool, &request).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { what: "booking" }), "{error:?}");
}

/// Scenario 55.
#[tokio::test]
async fn refusing_a_resource_off_sale_takes_over_no_expired_hold() {
    let h = House::open().await;
    let table = h.table().await;
    let place = || PlaceHold::new(h.tenant, one(table, 600, 630));
    let hold = h.keeper.holds().place(&h.pool, &place()).await.unwrap();
    let client = h.pool.get().await.unwrap();
    super::tables::expire(&client, h.tenant, hold.id.as_uuid()).await;
    h.keeper.resources().deactivate(&h.pool, h.tenant, table).await.unwrap();
    let before = h.digest().await;
    let error = h.keeper.holds().place(&h.pool, &place()).await.unwrap_err();
    assert!(matches!(error, Error::ResourceNotFound { .. }), "{error:?}");
    assert_eq!(h.digest().await, before);
}
