//! The library's writes.

use super::write::Write;
use crate::support::{House, fresh_key};
use chrono::{SubsecRound, TimeDelta};
use slotkeeper::{
    BookingId, Claim, Error, HoldId, ResourceId, TenantId, Window,
    allocation::Block,
    booking::{BookPlaces, CancelBooking, ConfirmHold, MoveBooking},
    confirmation::Outcome,
    hold::{ExtendHold, PlaceHold, ReleaseHold},
};

type Place = (TenantId, ResourceId, Window);

/// A hold of one place.
pub struct Place1;

impl Write for Place1 {
    type Request = Place;

    async fn prepare(house: &mut House) -> Place {
        house.place()
    }

    async fn call(house: &House, (tenant, table, window): Place) {
        let new = PlaceHold::new(tenant, Claim::one(table, window));
        house.keeper.holds().place(&house.client, &new).await.expect("a free place");
    }
}

/// A hold of three places.
pub struct Place3;

impl Write for Place3 {
    type Request = (TenantId, Claim);

    async fn prepare(house: &mut House) -> Self::Request {
        house.claim(3)
    }

    async fn call(house: &House, (tenant, claim): Self::Request) {
        let new = PlaceHold::new(tenant, claim);
        house.keeper.holds().place(&house.client, &new).await.expect("free places");
    }
}

/// A hold refused because of a booking that stood there before.
pub struct PlaceRefused;

impl Write for PlaceRefused {
    type Request = Place;

    async fn prepare(house: &mut House) -> Place {
        let place = house.place();
        let book = BookPlaces::new(place.0, Claim::one(place.1, place.2), fresh_key());
        let decision = house.keeper.bookings().book(&house.client, &book).await.expect("a decision");
        decision.into_result().expect("a free place");
        place
    }

    async fn call(house: &House, (tenant, table, window): Place) {
        let new = PlaceHold::new(tenant, Claim::one(table, window));
        let refused = house.keeper.holds().place(&house.client, &new).await;
        assert!(matches!(refused, Err(Error::Conflict { .. })));
    }
}

/// A live hold of so many tables.
pub async fn hold_of(house: &mut House, count: usize) -> (TenantId, HoldId) {
    let (tenant, claim) = house.claim(count);
    let hold = house.keeper.holds().place(&house.client, &PlaceHold::new(tenant, claim)).await;
    (tenant, hold.expect("a free place").id)
}

/// An active hold of two places becomes a booking.
pub struct Confirm2;

impl Write for Confirm2 {
    type Request = (TenantId, HoldId);

    async fn prepare(house: &mut House) -> Self::Request {
        hold_of(house, 2).await
    }

    async fn call(house: &House, (tenant, hold): Self::Request) {
        let confirm = ConfirmHold::new(tenant, hold, fresh_key());
        let decision = house.keeper.bookings().confirm(&house.client, &confirm).await.expect("a decision");
        assert_eq!(decision.outcome, Outcome::Confirmed);
    }
}

/// The same confirm once more: read from the record, nothing written.
pub struct Replay;

impl Write for Replay {
    type Request = ConfirmHold;

    async fn prepare(house: &mut House) -> ConfirmHold {
        let (tenant, hold) = hold_of(house, 2).await;
        let confirm = ConfirmHold::new(tenant, hold, fresh_key());
        let first = house.keeper.bookings().confirm(&house.client, &confirm).await.expect("a decision");
        assert!(!first.is_replay());
        confirm
    }

    async fn call(house: &House, confirm: ConfirmHold) {
        let decision = house.keeper.bookings().confirm(&house.client, &confirm).await.expect("a decision");
        assert!(decision.is_replay() && decision.outcome == Outcome::Confirmed);
    }
}

/// A booking of one place, without a hold.
pub struct Book1;

impl Write for Book1 {
    type Request = Place;

    async fn prepare(house: &mut House) -> Place {
        house.place()
    }

    async fn call(house: &House, (tenant, table, window): Place) {
        let book = BookPlaces::new(tenant, Claim::one(table, window), fresh_key());
        let decision = house.keeper.bookings().book(&house.client, &book).await.expect("a decision");
        assert_eq!(decision.outcome, Outcome::Confirmed);
    }
}

/// A booking of three places, without a hold.
pub struct Book3;

impl Write for Book3 {
    type Request = (TenantId, Claim);

    async fn prepare(house: &mut House) -> Self::Request {
        house.claim(3)
    }

    async fn call(house: &House, (tenant, claim): Self::Request) {
        let book = BookPlaces::new(tenant, claim, fresh_key());
        let decision = house.keeper.bookings().book(&house.client, &book).await.expect("a decision");
        assert_eq!(decision.outcome, Outcome::Confirmed);
    }
}

/// A booking of one place.
async fn booked(house: &mut House) -> (TenantId, BookingId) {
    let (tenant, table, window) = house.place();
    let book = BookPlaces::new(tenant, Claim::one(table, window), fresh_key());
    let decision = house.keeper.bookings().book(&house.client, &book).await.expect("a decision");
    (tenant, decision.into_result().expect("a free place"))
}

/// A booking of one place is cancelled.
pub struct Cancel;

impl Write for Cancel {
    type Request = (TenantId, BookingId);

    async fn prepare(house: &mut House) -> Self::Request {
        booked(house).await
    }

    async fn call(house: &House, (tenant, booking): Self::Request) {
        let cancel = CancelBooking::new(tenant, booking, fresh_key());
        let decision = house.keeper.bookings().cancel(&house.client, &cancel).await.expect("a decision");
        assert_eq!(decision.outcome, Outcome::Cancelled);
    }
}

/// A booking goes to another time, and mostly to another table of the same tenant.
pub struct Move1;

impl Write for Move1 {
    type Request = MoveBooking;

    async fn prepare(house: &mut House) -> MoveBooking {
        let (tenant, booking) = booked(house).await;
        let (table, window) = loop {
            let (owner, table, window) = house.place();
            if owner == tenant {
                break (table, window);
            }
        };
        MoveBooking::new(tenant, booking, 1, Claim::one(table, window), fresh_key())
    }

    async fn call(house: &House, request: MoveBooking) {
        let decision = house.keeper.bookings().move_to(&house.client, &request).await.expect("a decision");
        assert_eq!(decision.outcome, Outcome::Moved);
    }
}

/// A blackout of one place.
pub struct Block1;

impl Write for Block1 {
    type Request = Place;

    async fn prepare(house: &mut House) -> Place {
        house.place()
    }

    async fn call(house: &House, (tenant, table, window): Place) {
        let block = Block::new(tenant, Claim::one(table, window));
        house.keeper.allocations().block(&house.client, &block).await.expect("a free place");
    }
}

/// A hold of one place lives longer.
pub struct Extend;

impl Write for Extend {
    type Request = ExtendHold;

    async fn prepare(house: &mut House) -> ExtendHold {
        let (tenant, hold) = hold_of(house, 1).await;
        ExtendHold::new(tenant, hold, chrono::Utc::now().trunc_subsecs(0) + TimeDelta::minutes(10))
            .expect("an instant")
    }

    async fn call(house: &House, request: ExtendHold) {
        house.keeper.holds().extend(&house.client, &request).await.expect("extended");
    }
}

/// A hold of one place is given back.
pub struct Release;

impl Write for Release {
    type Request = ReleaseHold;

    async fn prepare(house: &mut House) -> ReleaseHold {
        let (tenant, hold) = hold_of(house, 1).await;
        ReleaseHold::new(tenant, hold)
    }

    async fn call(house: &House, request: ReleaseHold) {
        house.keeper.holds().release(&house.client, &request).await.expect("released");
    }
}
