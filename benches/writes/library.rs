//! The library's writes. What a write needs beforehand is made before the clock starts.

use crate::support::{House, fresh_key};
use slotkeeper::{
    BookingId, Claim, HoldId, TenantId,
    booking::{BookPlaces, CancelBooking, ConfirmHold, MoveBooking},
    confirmation::Outcome,
    hold::PlaceHold,
};
use std::time::{Duration, Instant};

/// Requests that are repeated in turn: enough that no row is the last one's.
const REPLAYED: u64 = 256;

pub async fn place_1(house: &mut House, n: u64) -> Duration {
    let places: Vec<_> = (0..n).map(|_| house.place()).collect();
    let holds = house.keeper.holds();
    let start = Instant::now();
    for (tenant, table, window) in places {
        let new = PlaceHold::new(tenant, Claim::one(table, window));
        holds.place(&house.client, &new).await.expect("a free place");
    }
    start.elapsed()
}

/// A live hold of two tables.
pub async fn hold_of_two(house: &mut House) -> (TenantId, HoldId) {
    let (tenant, claim) = house.claim(2);
    let hold = house.keeper.holds().place(&house.client, &PlaceHold::new(tenant, claim)).await;
    (tenant, hold.expect("a free place").id)
}

pub async fn confirm_2(house: &mut House, n: u64) -> Duration {
    let mut placed = Vec::new();
    for _ in 0..n {
        placed.push(hold_of_two(house).await);
    }
    let start = Instant::now();
    for (tenant, hold) in placed {
        let confirm = ConfirmHold::new(tenant, hold, fresh_key());
        let decision = house.keeper.bookings().confirm(&house.client, &confirm).await.expect("a decision");
        assert_eq!(decision.outcome, Outcome::Confirmed);
    }
    start.elapsed()
}

pub async fn book_1(house: &mut House, n: u64) -> Duration {
    let places: Vec<_> = (0..n).map(|_| house.place()).collect();
    let bookings = house.keeper.bookings();
    let start = Instant::now();
    for (tenant, table, window) in places {
        let book = BookPlaces::new(tenant, Claim::one(table, window), fresh_key());
        let decision = bookings.book(&house.client, &book).await.expect("a decision");
        assert_eq!(decision.outcome, Outcome::Confirmed);
    }
    start.elapsed()
}

/// `n` bookings of one table each.
async fn booked(house: &mut House, n: u64) -> Vec<(TenantId, BookingId)> {
    let mut booked = Vec::new();
    for _ in 0..n {
        let (tenant, table, window) = house.place();
        let book = BookPlaces::new(tenant, Claim::one(table, window), fresh_key());
        let decision = house.keeper.bookings().book(&house.client, &book).await.expect("a decision");
        booked.push((tenant, decision.into_result().expect("a free place")));
    }
    booked
}

pub async fn cancel(house: &mut House, n: u64) -> Duration {
    let booked = booked(house, n).await;
    let bookings = house.keeper.bookings();
    let start = Instant::now();
    for (tenant, booking) in booked {
        let cancel = CancelBooking::new(tenant, booking, fresh_key());
        let decision = bookings.cancel(&house.client, &cancel).await.expect("a decision");
        assert_eq!(decision.outcome, Outcome::Cancelled);
    }
    start.elapsed()
}

/// To another time, and mostly another table of the same tenant.
pub async fn move_1(house: &mut House, n: u64) -> Duration {
    let mut moves = Vec::new();
    for (tenant, booking) in booked(house, n).await {
        let (table, window) = loop {
            let (owner, table, window) = house.place();
            if owner == tenant {
                break (table, window);
            }
        };
        moves.push(MoveBooking::new(tenant, booking, 1, Claim::one(table, window), fresh_key()));
    }
    let bookings = house.keeper.bookings();
    let start = Instant::now();
    for request in moves {
        let decision = bookings.move_to(&house.client, &request).await.expect("a decision");
        assert_eq!(decision.outcome, Outcome::Moved);
    }
    start.elapsed()
}

/// Repeats of confirms that were answered before: read from the record, nothing written.
pub async fn replay(house: &mut House, n: u64) -> Duration {
    let mut confirmed = Vec::new();
    for _ in 0..n.min(REPLAYED) {
        let (tenant, hold) = hold_of_two(house).await;
        let confirm = ConfirmHold::new(tenant, hold, fresh_key());
        let first = house.keeper.bookings().confirm(&house.client, &confirm).await.expect("a decision");
        assert!(!first.is_replay());
        confirmed.push(confirm);
    }
    let bookings = house.keeper.bookings();
    let start = Instant::now();
    for (_, confirm) in (0..n).zip(confirmed.iter().cycle()) {
        let decision = bookings.confirm(&house.client, confirm).await.expect("a decision");
        assert!(decision.is_replay() && decision.outcome == Outcome::Confirmed);
    }
    start.elapsed()
}
