//! Records, events and history say what happened, never to whom.

use super::common::*;

/// Strings no id, window or number contains.
const MARKERS: [&str; 5] =
    ["mk-customer", "mk-reference", "mk-metadata", "mk-key-in-metadata", "Mars/Olympus"];

fn marked() -> BookingDetails {
    let metadata = serde_json::json!({ "mk-key-in-metadata": "mk-metadata" });
    BookingDetails::new()
        .customer(CustomerRef::new("mk-customer").unwrap())
        .reference(Reference::new(format!("mk-reference {}", uuid::Uuid::now_v7())).unwrap())
        .price(slotkeeper::Price::new(777_777_777, "XTS").unwrap())
        .time_zone(slotkeeper::TimeZoneName::new("Mars/Olympus").unwrap())
        .metadata(JsonObject::new(metadata).unwrap())
}

/// Rows of a table whose text contains any of the markers.
async fn tainted(h: &House, table: &str) -> i64 {
    let any = [&MARKERS[..], &["777777777", "XTS"]].concat().join("|");
    h.count(&format!("SELECT count(*) FROM slotkeeper.{table} t WHERE t::text ~ '{any}'")).await
}

#[tokio::test]
async fn nothing_personal_is_in_records_events_or_history() {
    let h = House::open().await;
    let t = h.tables(3).await;
    let k = h.keeper.bookings();
    for (n, claim) in
        [one(t[0], 0, 30), all(&t, 60, 90), one(t[0], 0, 30), all(&t, 0, 30)].into_iter().enumerate()
    {
        let ask = BookPlaces::new(h.tenant, claim, fresh_key()).details(marked());
        let decision = k.book(&h.pool, &ask).await.unwrap();
        if n == 1 {
            let _ = move_to(&h, decision.booking.unwrap(), 1, one(t[1], 0, 30)).await;
            let _ = cancel(&h, decision.booking.unwrap()).await;
        }
    }
    for late in [false, true] {
        let held = hold(&h, one(t[2], 200, 230)).await.id;
        let waiting = RequestBooking::new(h.tenant, window(200, 230)).details(marked());
        let waiting = k.request(&h.pool, &waiting).await.unwrap();
        let mut ask = ConfirmHold::new(h.tenant, held, fresh_key()).details(marked()).for_pending(waiting);
        if late {
            expire(&h, held).await;
            ask = ask.if_still_free();
        }
        let done = confirm(&h, ask).await;
        let _ = cancel(&h, done.into_result().unwrap()).await;
    }
    assert!(tainted(&h, "bookings").await >= 4, "the check can fail: the bookings do carry the markers");
    for table in ["confirmations", "outbox", "allocations", "resources"] {
        assert_eq!(tainted(&h, table).await, 0, "{table}");
        assert!(h.count(&format!("SELECT count(*) FROM slotkeeper.{table}")).await > 0, "{table} is empty");
    }
}
