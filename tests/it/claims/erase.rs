//! Clearing a person: everywhere, once, on record, and nobody else.

use super::common::*;

fn customer(name: &str) -> CustomerRef {
    CustomerRef::new(name).unwrap()
}

fn of(name: &str) -> BookingDetails {
    let metadata = serde_json::json!({ "note": format!("about {name}") });
    BookingDetails::new().customer(customer(name)).metadata(JsonObject::new(metadata).unwrap())
}

/// Rows of any table that still contain the name.
async fn traces(h: &House, name: &str) -> i64 {
    let mut found = 0;
    for table in ["resources", "holds", "allocations", "bookings", "confirmations", "outbox"] {
        found += h
            .count(&format!("SELECT count(*) FROM slotkeeper.{table} t WHERE t::text LIKE '%{name}%'"))
            .await;
    }
    found
}

#[tokio::test]
async fn erasing_clears_a_person_everywhere_and_leaves_the_bookings() {
    let h = House::open().await;
    let t = h.tables(3).await;
    let k = h.keeper.bookings();
    let ask = |from, name: &str| {
        BookPlaces::new(h.tenant, one(t[0], from, from + 30), fresh_key()).details(of(name))
    };
    let mine = k.book(&h.pool, &ask(0, "ann-marker")).await.unwrap();
    let gone = k.book(&h.pool, &ask(60, "ann-marker")).await.unwrap().into_result().unwrap();
    let _ = cancel(&h, gone).await;
    let theirs = k.book(&h.pool, &ask(120, "bob-marker")).await.unwrap();
    k.request(&h.pool, &RequestBooking::new(h.tenant, window(0, 30)).details(of("ann-marker")))
        .await
        .unwrap();
    let place = PlaceHold::new(h.tenant, one(t[1], 0, 30)).actor(Actor::new("ann-marker").unwrap());
    let held = h.keeper.holds().place(&h.pool, &place).await.unwrap();
    assert_eq!(traces(&h, "ann-marker").await, 4, "the check can fail");

    let erase = EraseCustomer::new(h.tenant, customer("ann-marker"), key("e"));
    let done = k.erase(&h.pool, &erase).await.unwrap();
    assert_eq!(
        (done.outcome.clone(), done.snapshot.erased, done.snapshot.erased_holds),
        (Outcome::Erased, Some(3), Some(1))
    );
    assert_eq!(traces(&h, "ann-marker").await, 0);
    assert_eq!(traces(&h, "bob-marker").await, 1);
    let found = k.find(&h.pool, h.tenant, mine.booking.unwrap()).await.unwrap().unwrap();
    assert_eq!((found.status, found.details), (BookingStatus::Confirmed, BookingDetails::new()));
    let places =
        h.keeper.allocations().list_by_booking(&h.pool, h.tenant, mine.booking.unwrap()).await.unwrap();
    assert_eq!(places.len(), 1, "the place stays taken");
    assert_eq!(confirm_hold(&h, held.id).await.outcome, Outcome::Confirmed);
    assert!(theirs.into_result().is_ok());

    let events = h.keeper.outbox().list(&h.pool, h.tenant, 100).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.event == "customer.erased").count(), 1);
    let found = h.keeper.confirmations().find_by_key(&h.pool, h.tenant, Operation::Erase, &key("e")).await;
    assert_eq!(found.unwrap().unwrap().snapshot.unwrap(), done.snapshot);
    let before = h.digest().await;
    let again = k.erase(&h.pool, &erase).await.unwrap();
    assert!(again.is_replay() && h.digest().await == before);
}

#[tokio::test]
async fn erasing_stays_within_the_tenant() {
    let h = House::open().await;
    let table = h.table().await;
    let ask = BookPlaces::new(h.tenant, one(table, 0, 30), fresh_key()).details(of("ann-marker"));
    let _ = h.keeper.bookings().book(&h.pool, &ask).await.unwrap();
    let erase = EraseCustomer::new(TenantId::generate(), customer("ann-marker"), fresh_key());
    let done = h.keeper.bookings().erase(&h.pool, &erase).await.unwrap();
    assert_eq!((done.snapshot.erased, traces(&h, "ann-marker").await), (Some(0), 1));
}

/// The record does not lead back to the person: two erasures of one person look unrelated.
#[tokio::test]
async fn the_record_of_an_erasure_differs_from_key_to_key() {
    let h = House::open().await;
    let mut digests = Vec::new();
    for k in ["a", "b"] {
        let erase = EraseCustomer::new(h.tenant, customer("ann-marker"), key(k));
        let done = h.keeper.bookings().erase(&h.pool, &erase).await.unwrap();
        digests.push(done.snapshot.request.details.clone().unwrap());
        assert!(done.into_result().is_err(), "there is no booking to give");
    }
    assert_ne!(digests[0], digests[1]);
}

/// What is kept of the person's requests is a digest: enough to replay, and to notice another request, refusals included.
#[tokio::test]
async fn keys_of_an_erased_customer_are_still_replayed() {
    let h = House::open().await;
    let (table, k) = (h.table().await, h.keeper.bookings());
    let ask = |key, name: &str| BookPlaces::new(h.tenant, one(table, 0, 30), key).details(of(name));
    let (booked, refused) = (key("booked"), key("refused"));
    let first = k.book(&h.pool, &ask(booked.clone(), "ann-marker")).await.unwrap();
    let second = k.book(&h.pool, &ask(refused.clone(), "ann-marker")).await.unwrap();
    let erase = EraseCustomer::new(h.tenant, customer("ann-marker"), fresh_key());
    assert_eq!(k.erase(&h.pool, &erase).await.unwrap().snapshot.erased, Some(1));
    for (key, answer) in [(booked, first), (refused, second)] {
        let again = k.book(&h.pool, &ask(key.clone(), "ann-marker")).await.unwrap();
        assert!(again.is_replay() && again.snapshot == answer.snapshot);
        let other = k.book(&h.pool, &ask(key, "bob-marker")).await;
        assert!(matches!(other, Err(Error::KeyReused { field: "details" })), "{other:?}");
    }
    assert_eq!(traces(&h, "ann-marker").await, 0);
}
