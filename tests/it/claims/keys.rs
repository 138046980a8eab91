//! One key, one answer; another request under it is told what differs.

use super::common::*;
use slotkeeper::BookingId;

fn of_field(error: &Error) -> &'static str {
    let Error::KeyReused { field } = error else { panic!("{error:?}") };
    field
}

/// Scenario 44, for confirm.
#[tokio::test]
async fn a_confirm_key_reused_names_the_field_and_changes_nothing() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let (a, b) = (hold(&h, one(t[0], 0, 30)).await.id, hold(&h, one(t[1], 0, 30)).await.id);
    let ask = |hold| ConfirmHold::new(h.tenant, hold, key("k"));
    let first = confirm(&h, ask(a)).await;
    let before = h.digest().await;
    let details = BookingDetails::new().customer(CustomerRef::new("c").unwrap());
    for (request, field) in [
        (ask(b), "hold"),
        (ask(a).as_booking(BookingId::generate()), "booking"),
        (ask(a).for_pending(BookingId::generate()), "booking"),
        (ask(a).expecting_window(window(0, 30)), "window"),
        (ask(a).if_still_free(), "if_still_free"),
        (ask(a).details(details), "details"),
    ] {
        let error = h.keeper.bookings().confirm(&h.pool, &request).await.unwrap_err();
        assert_eq!(of_field(&error), field);
    }
    assert_eq!(h.digest().await, before);
    let replay = confirm(&h, ask(a)).await;
    assert!(replay.is_replay());
    assert_eq!((replay.confirmation, &replay.snapshot), (first.confirmation, &first.snapshot));
    assert_eq!((replay.decided_at, replay.booking), (first.decided_at, first.booking));
}

/// Scenario 44, for book.
#[tokio::test]
async fn a_book_key_reused_names_the_field_and_changes_nothing() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let ask = |claim| BookPlaces::new(h.tenant, claim, key("k"));
    let first = h.keeper.bookings().book(&h.pool, &ask(one(t[0], 0, 30))).await.unwrap();
    let before = h.digest().await;
    let buffers = Buffers::new(chrono::TimeDelta::zero(), chrono::TimeDelta::minutes(5)).unwrap();
    let details = BookingDetails::new().reference(Reference::new("r").unwrap());
    for (request, field) in [
        (ask(one(t[0], 0, 31)), "window"),
        (ask(one(t[1], 0, 30)), "resources"),
        (ask(all(&t, 0, 30)), "resources"),
        (ask(one(t[0], 0, 30).with_buffers(buffers).unwrap()), "buffers"),
        (ask(one(t[0], 0, 30)).as_booking(BookingId::generate()), "booking"),
        (ask(one(t[0], 0, 30)).details(details), "details"),
    ] {
        let error = h.keeper.bookings().book(&h.pool, &request).await.unwrap_err();
        assert_eq!(of_field(&error), field);
    }
    assert_eq!(h.digest().await, before);
    let replay = h.keeper.bookings().book(&h.pool, &ask(one(t[0], 0, 30))).await.unwrap();
    assert!(replay.is_replay() && replay.snapshot == first.snapshot);
}

#[tokio::test]
async fn a_move_cancel_or_erase_key_reused_names_the_field() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let (a, b) = (booked(&h, one(t[0], 0, 30)).await, booked(&h, one(t[1], 0, 30)).await);
    let k = h.keeper.bookings();
    let to = |booking, revision, claim| MoveBooking::new(h.tenant, booking, revision, claim, key("k"));
    let _ = k.move_to(&h.pool, &to(a, 1, one(t[0], 60, 90))).await.unwrap();
    for (request, field) in [
        (to(b, 1, one(t[0], 60, 90)), "booking"),
        (to(a, 2, one(t[0], 60, 90)), "revision"),
        (to(a, 1, one(t[0], 60, 91)), "window"),
        (to(a, 1, one(t[1], 60, 90)), "resources"),
    ] {
        assert_eq!(of_field(&k.move_to(&h.pool, &request).await.unwrap_err()), field);
    }
    // Keys belong to an operation: the same text under another one is another key.
    let stop = |booking| CancelBooking::new(h.tenant, booking, key("k"));
    assert_eq!(k.cancel(&h.pool, &stop(a)).await.unwrap().outcome, Outcome::Cancelled);
    assert_eq!(of_field(&k.cancel(&h.pool, &stop(b)).await.unwrap_err()), "booking");
    assert_eq!(of_field(&k.cancel(&h.pool, &stop(a).expecting_revision(2)).await.unwrap_err()), "revision");
    let erase = |who: &str| EraseCustomer::new(h.tenant, CustomerRef::new(who).unwrap(), key("k"));
    let _ = k.erase(&h.pool, &erase("a")).await.unwrap();
    assert_eq!(of_field(&k.erase(&h.pool, &erase("b")).await.unwrap_err()), "details");
    assert!(k.erase(&h.pool, &erase("a")).await.unwrap().is_replay());
}

/// A refused key stays refused, though the place is free by now; a new one is judged anew.
#[tokio::test]
async fn a_refused_key_stays_refused() {
    let h = House::open().await;
    let table = h.table().await;
    let other = booked(&h, one(table, 0, 30)).await;
    let ask = BookPlaces::new(h.tenant, one(table, 0, 30), key("k"));
    let first = h.keeper.bookings().book(&h.pool, &ask).await.unwrap();
    let _ = cancel(&h, other).await;
    let again = h.keeper.bookings().book(&h.pool, &ask).await.unwrap();
    assert!(again.is_replay() && again.outcome == first.outcome && again.outcome.code() == "conflict");
    assert_eq!(book(&h, one(table, 0, 30)).await.outcome, Outcome::Confirmed);
}

/// Scenario 46, for each way to decide: one executes, the others wait and replay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simultaneous_calls_with_one_key_are_decided_once() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    warm(&h, 4).await;
    for round in 0..30 {
        let (from, k) = (round * 60, fresh_key());
        let held = hold(&h, all(&t, from + 30, from + 60)).await.id;
        let answers = race((0..4).map(|_| {
            let (h, k, t) = (h.clone(), k.clone(), t.clone());
            async move {
                if round % 3 == 0 {
                    return confirm(&h, ConfirmHold::new(h.tenant, held, k)).await;
                }
                let claim =
                    if round % 3 == 1 { one(t[0], from, from + 30) } else { all(&t, from, from + 30) };
                h.keeper.bookings().book(&h.pool, &BookPlaces::new(h.tenant, claim, k)).await.unwrap()
            }
        }))
        .await;
        assert_eq!(answers.iter().filter(|answer| !answer.is_replay()).count(), 1);
        assert!(answers.iter().all(|answer| answer.outcome == Outcome::Confirmed));
        assert!(answers.iter().all(|answer| answer.confirmation == answers[0].confirmation));
    }
    let bookings = "SELECT count(*) FROM slotkeeper.bookings";
    assert_eq!((h.count(bookings).await, recorded(&h).await), (30, 30));
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}
