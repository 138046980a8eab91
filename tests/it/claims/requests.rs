//! Asking for a booking again: the answer is about what was asked, not about what became of it.

use super::common::*;
use slotkeeper::{BookingId, Result};

fn details(customer: &str) -> BookingDetails {
    let metadata = JsonObject::new(serde_json::json!({ "party": 4 })).unwrap();
    BookingDetails::new().customer(CustomerRef::new(customer).unwrap()).metadata(metadata)
}

async fn ask(h: &House, request: &RequestBooking) -> Result<BookingId> {
    h.keeper.bookings().request(&h.pool, request).await
}

fn refused(answer: &Result<BookingId>, field: &str) {
    assert!(
        matches!(answer, Err(Error::KeyReused { field: found }) if *found == field),
        "{field}: {answer:?}"
    );
}

/// Approved with other details, moved, cancelled, its customer cleared: the first answer still stands.
#[tokio::test]
async fn a_request_may_be_repeated_whatever_became_of_the_booking() {
    let h = House::open().await;
    let (table, k) = (h.table().await, h.keeper.bookings());
    let full = details("c-1")
        .reference(Reference::new("n-1").unwrap())
        .price(slotkeeper::Price::new(1_000, "EUR").unwrap())
        .time_zone(slotkeeper::TimeZoneName::new("Asia/Tokyo").unwrap());
    let request = RequestBooking::new(h.tenant, window(0, 30)).details(full.clone());
    let id = ask(&h, &request).await.unwrap();
    let again = async |fate: &str| {
        let before = h.digest().await;
        assert_eq!(ask(&h, &request).await.ok(), Some(id), "{fate}");
        let elsewhen = RequestBooking::new(h.tenant, window(0, 31)).with_id(id).details(full.clone());
        refused(&ask(&h, &elsewhen).await, "window");
        assert_eq!(h.digest().await, before, "{fate}");
    };
    again("nothing").await;
    let erase = EraseCustomer::new(h.tenant, CustomerRef::new("c-1").unwrap(), fresh_key());
    assert_eq!(k.erase(&h.pool, &erase).await.unwrap().snapshot.erased, Some(1));
    again("erased").await;
    let approve = BookPlaces::new(h.tenant, one(table, 0, 30), fresh_key()).for_pending(id);
    assert_eq!(k.book(&h.pool, &approve.details(details("c-2"))).await.unwrap().outcome, Outcome::Confirmed);
    again("approved").await;
    assert_eq!(move_to(&h, id, 2, one(table, 60, 90)).await.outcome, Outcome::Moved);
    again("moved").await;
    assert_eq!(cancel(&h, id).await.outcome, Outcome::Cancelled);
    again("cancelled").await;
}

#[tokio::test]
async fn another_request_under_the_same_id_names_what_differs() {
    let h = House::open().await;
    let table = h.table().await;
    let id = ask(&h, &RequestBooking::new(h.tenant, window(0, 30)).details(details("c-1"))).await.unwrap();
    let other = |from, details| RequestBooking::new(h.tenant, window(from, 30)).with_id(id).details(details);
    refused(&ask(&h, &other(1, details("c-1"))).await, "window");
    let more = [
        details("c-2"),
        BookingDetails::new(),
        details("c-1").reference(Reference::new("n-1").unwrap()),
        details("c-1").price(slotkeeper::Price::new(1_000, "EUR").unwrap()),
        details("c-1").time_zone(slotkeeper::TimeZoneName::new("Asia/Tokyo").unwrap()),
        details("c-1").metadata(JsonObject::default()),
    ];
    for details in more {
        refused(&ask(&h, &other(0, details)).await, "details");
    }
    // A booking that never waited for approval was not asked for by such a request.
    let id = BookingId::generate();
    let book = BookPlaces::new(h.tenant, one(table, 60, 90), fresh_key()).as_booking(id);
    assert_eq!(h.keeper.bookings().book(&h.pool, &book).await.unwrap().outcome, Outcome::Confirmed);
    refused(&ask(&h, &RequestBooking::new(h.tenant, window(60, 90)).with_id(id)).await, "booking");
}
