//! One key, one request: another request under it is refused, and the part that differs is named.

use super::{act::body, state::state};
use crate::support::*;
use chrono::TimeDelta;
use slotkeeper::{
    BookingId, Buffers, Claim, CustomerRef, Error, ErrorKind, JsonObject, Pair, Price, Reference, Result,
    Retry, TimeZoneName, booking::*, confirmation::Decision, hold::*,
};

fn refused(answer: Result<Decision>, field: &str) {
    let error = answer.expect_err(field);
    assert!(matches!(error, Error::KeyReused { field: found } if found == field), "{field}: {error:?}");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Conflict, Retry::Never));
}

fn buffers(minutes: i64) -> Buffers {
    Buffers::new(TimeDelta::minutes(minutes), TimeDelta::zero()).unwrap()
}

/// Each part of what a booking carries is part of the request.
fn other_details() -> Vec<BookingDetails> {
    let new = BookingDetails::new;
    vec![
        new().reference(Reference::new("n-1").unwrap()),
        new().customer(CustomerRef::new("c-1").unwrap()),
        new().price(Price::new(1_000, "EUR").unwrap()),
        new().time_zone(TimeZoneName::new("Asia/Tokyo").unwrap()),
        new().metadata(JsonObject::new(serde_json::json!({ "party": 4 })).unwrap()),
    ]
}

/// Scenario 44, for confirm.
#[tokio::test]
async fn a_confirm_key_with_another_request_names_what_differs() {
    let h = House::open().await;
    let (t, k) = (h.tables(2).await, h.keeper.bookings());
    let place = async |from| {
        let new = PlaceHold::new(h.tenant, all(&t, from, from + 30));
        h.keeper.holds().place(&h.pool, &new).await.unwrap().id
    };
    let (hold, other) = (place(0).await, place(30).await);
    let key = fresh_key();
    let first = ConfirmHold::new(h.tenant, hold, key.clone());
    let done = k.confirm(&h.pool, &first).await.unwrap();
    let before = state(&h).await;

    let again = || ConfirmHold::new(h.tenant, hold, key.clone());
    let other = ConfirmHold::new(h.tenant, other, key.clone());
    refused(k.confirm(&h.pool, &other).await, "hold");
    refused(k.confirm(&h.pool, &again().as_booking(BookingId::generate())).await, "booking");
    refused(k.confirm(&h.pool, &again().for_pending(BookingId::generate())).await, "booking");
    refused(k.confirm(&h.pool, &again().expecting_window(window(0, 30))).await, "window");
    refused(k.confirm(&h.pool, &again().if_still_free()).await, "if_still_free");
    for details in other_details() {
        refused(k.confirm(&h.pool, &again().details(details)).await, "details");
    }
    assert_eq!(state(&h).await, before, "refusing them wrote nothing");
    let replayed = k.confirm(&h.pool, &again()).await.unwrap();
    assert!(replayed.is_replay());
    assert_eq!((body(&replayed), &replayed.snapshot), (body(&done), &done.snapshot));
}

/// Scenario 44, for book: of one resource and of several, which are two statements.
#[tokio::test]
async fn a_book_key_with_another_request_names_what_differs() {
    let h = House::open().await;
    let (t, k) = (h.tables(4).await, h.keeper.bookings());
    for (first, other) in [(&t[..1], &t[3..]), (&t[..2], &t[2..])] {
        let key = fresh_key();
        let request = |claim: Claim| BookPlaces::new(h.tenant, claim, key.clone());
        let same = || request(all(first, 0, 30));
        let done = k.book(&h.pool, &same()).await.unwrap();
        let before = state(&h).await;
        refused(k.book(&h.pool, &same().as_booking(BookingId::generate())).await, "booking");
        refused(k.book(&h.pool, &same().for_pending(BookingId::generate())).await, "booking");
        refused(k.book(&h.pool, &request(all(first, 0, 31))).await, "window");
        refused(k.book(&h.pool, &request(all(other, 0, 30))).await, "resources");
        refused(k.book(&h.pool, &request(all(&t[..3], 0, 30))).await, "resources");
        let buffered = all(first, 0, 30).with_buffers(buffers(5)).unwrap();
        refused(k.book(&h.pool, &request(buffered)).await, "buffers");
        for details in other_details() {
            refused(k.book(&h.pool, &same().details(details)).await, "details");
        }
        assert_eq!(state(&h).await, before);
        let replayed = k.book(&h.pool, &same()).await.unwrap();
        assert!(replayed.is_replay() && body(&replayed) == body(&done));
    }
    // The same resources from the same first start to the same last end, each at another time.
    let key = fresh_key();
    let pair = |n: usize, from, to| Pair { resource: t[n], window: window(from, to) };
    let request = |pairs: [Pair; 2]| BookPlaces::new(h.tenant, Claim::pairs(pairs).unwrap(), key.clone());
    k.book(&h.pool, &request([pair(0, 60, 90), pair(1, 90, 120)])).await.unwrap().into_result().unwrap();
    refused(k.book(&h.pool, &request([pair(0, 90, 120), pair(1, 60, 90)])).await, "resources");
}

/// Scenario 44, for cancel, move and erase.
#[tokio::test]
async fn a_cancel_move_or_erase_key_with_another_request_names_what_differs() {
    let h = House::open().await;
    let (t, k) = (h.tables(2).await, h.keeper.bookings());
    let book = async |from| {
        let new = BookPlaces::new(h.tenant, one(t[0], from, from + 30), fresh_key());
        k.book(&h.pool, &new).await.unwrap().booking.unwrap()
    };
    let (mine, other) = (book(0).await, book(30).await);
    let key = fresh_key(); // a key serves each operation on its own
    let to = |claim| MoveBooking::new(h.tenant, mine, 1, claim, key.clone());
    let moved = k.move_to(&h.pool, &to(one(t[0], 60, 90))).await.unwrap();
    moved.clone().into_result().unwrap();
    let before = state(&h).await;
    let elsewhere = MoveBooking::new(h.tenant, other, 1, one(t[0], 60, 90), key.clone());
    refused(k.move_to(&h.pool, &elsewhere).await, "booking");
    refused(k.move_to(&h.pool, &to(one(t[0], 60, 91))).await, "window");
    refused(k.move_to(&h.pool, &to(one(t[1], 60, 90))).await, "resources");
    refused(k.move_to(&h.pool, &to(one(t[0], 60, 90).with_buffers(buffers(5)).unwrap())).await, "buffers");
    let later = MoveBooking::new(h.tenant, mine, 2, one(t[0], 60, 90), key.clone());
    refused(k.move_to(&h.pool, &later).await, "revision");
    assert_eq!(state(&h).await, before);
    assert_eq!(body(&k.move_to(&h.pool, &to(one(t[0], 60, 90))).await.unwrap()), body(&moved));

    let cancel = |booking| CancelBooking::new(h.tenant, booking, key.clone());
    let cancelled = k.cancel(&h.pool, &cancel(mine)).await.unwrap();
    let before = state(&h).await;
    refused(k.cancel(&h.pool, &cancel(other)).await, "booking");
    refused(k.cancel(&h.pool, &cancel(mine).expecting_revision(2)).await, "revision");
    assert_eq!(state(&h).await, before);
    assert_eq!(body(&k.cancel(&h.pool, &cancel(mine)).await.unwrap()), body(&cancelled));

    let erase = |who: &str| EraseCustomer::new(h.tenant, CustomerRef::new(who).unwrap(), key.clone());
    let erased = k.erase(&h.pool, &erase("c-1")).await.unwrap();
    refused(k.erase(&h.pool, &erase("c-2")).await, "details");
    assert_eq!(body(&k.erase(&h.pool, &erase("c-1")).await.unwrap()), body(&erased));
}
