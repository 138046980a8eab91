//! Every row of the table of outcomes, each with one record or none.

use super::common::*;
use slotkeeper::BookingId;

/// Runs a call and says by how many records it added.
async fn adding<T>(h: &House, call: impl Future<Output = T>) -> (T, i64) {
    let before = recorded(h).await;
    let answer = call.await;
    (answer, recorded(h).await - before)
}

async fn decided(h: &House, request: ConfirmHold, code: &str) -> Decision {
    let (decision, added) = adding(h, confirm(h, request.clone())).await;
    assert_eq!((decision.outcome.code(), added), (code, 1));
    let (replay, added) = adding(h, confirm(h, request)).await;
    assert_eq!((replay.is_replay(), &replay.outcome, added), (true, &decision.outcome, 0));
    let (id, found) = (decision.confirmation, "SELECT count(*) FROM slotkeeper.confirmations WHERE id =");
    assert_eq!(h.count(&format!("{found} '{id}' AND outcome = '{code}'")).await, 1);
    decision
}

async fn pending(h: &House, from: i64, to: i64) -> BookingId {
    h.keeper.bookings().request(&h.pool, &RequestBooking::new(h.tenant, window(from, to))).await.unwrap()
}

#[tokio::test]
async fn every_outcome_of_a_confirm_is_recorded_once() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let ask = |hold| ConfirmHold::new(h.tenant, hold, fresh_key());

    let a = hold(&h, all(&t, 0, 30)).await.id;
    let _ = decided(&h, ask(a), "confirmed").await;
    let _ = decided(&h, ask(a), "hold_consumed").await;
    let _ = decided(&h, ask(a).if_still_free(), "hold_consumed").await;

    let b = hold(&h, all(&t, 100, 130)).await.id;
    let _ = decided(&h, ask(b).expecting_window(window(100, 131)), "window_mismatch").await;
    release(&h, b).await;
    let _ = decided(&h, ask(b), "hold_released").await;
    let _ = decided(&h, ask(b).if_still_free(), "hold_released").await;

    let c = hold(&h, one(t[0], 200, 230)).await.id;
    let new = PlaceHold::new(h.tenant, one(t[0], 210, 240));
    let d = h.keeper.holds().replace(&h.pool, &ReplaceHold::new(c, new)).await.unwrap().id;
    let _ = decided(&h, ask(c), "hold_released").await;
    expire(&h, d).await;
    let _ = decided(&h, ask(d), "hold_expired").await;
    booked(&h, one(t[0], 220, 250)).await;
    let _ = decided(&h, ask(d), "hold_expired").await;
    let _ = decided(&h, ask(d).if_still_free(), "conflict").await;

    let waiting = pending(&h, 300, 330).await;
    let e = hold(&h, one(t[0], 300, 330)).await.id;
    let done = decided(&h, ask(e).for_pending(waiting), "confirmed").await;
    assert_eq!(done.booking, Some(waiting));
    let f = hold(&h, one(t[1], 300, 330)).await.id;
    let mismatch = decided(&h, ask(f).for_pending(waiting), "state_mismatch").await;
    let expected =
        Outcome::StateMismatch { expected: Some(BookingStatus::Pending), actual: BookingStatus::Confirmed };
    assert_eq!((mismatch.outcome, mismatch.booking), (expected, Some(waiting)));
    let mismatch = decided(&h, ask(f).as_booking(waiting), "state_mismatch").await;
    assert_eq!(mismatch.outcome, Outcome::StateMismatch { expected: None, actual: BookingStatus::Confirmed });
    let mine = BookingId::generate();
    let done = decided(&h, ask(f).as_booking(mine), "confirmed").await;
    assert_eq!(done.into_result(), Ok(mine));
}

#[tokio::test]
async fn every_outcome_of_book_move_and_cancel_is_recorded_once() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let (code, added) = adding(&h, async { book(&h, one(t[0], 0, 30)).await.outcome.code() }).await;
    assert_eq!((code, added), ("confirmed", 1));
    let mine = booked(&h, all(&t, 100, 130)).await;
    for claim in [one(t[0], 0, 30), all(&t, 0, 30)] {
        let (code, added) = adding(&h, async { book(&h, claim).await.outcome.code() }).await;
        assert_eq!((code, added), ("conflict", 1));
    }
    let exists = BookPlaces::new(h.tenant, one(t[0], 200, 230), fresh_key()).as_booking(mine);
    let (answer, added) = adding(&h, h.keeper.bookings().book(&h.pool, &exists)).await;
    let expected = Outcome::StateMismatch { expected: None, actual: BookingStatus::Confirmed };
    assert_eq!((answer.unwrap().outcome, added), (expected, 1));
    for (revision, to, expected) in [
        (1, one(t[0], 0, 30), "conflict"),
        (2, one(t[0], 200, 230), "stale_revision"),
        (1, one(t[0], 200, 230), "moved"),
    ] {
        let (code, added) = adding(&h, async { move_to(&h, mine, revision, to).await.outcome.code() }).await;
        assert_eq!((code, added), (expected, 1));
    }
    let stale = CancelBooking::new(h.tenant, mine, fresh_key()).expecting_revision(1);
    let (answer, added) = adding(&h, h.keeper.bookings().cancel(&h.pool, &stale)).await;
    assert_eq!((answer.unwrap().outcome, added), (Outcome::StaleRevision { expected: 1, actual: 2 }, 1));
    let (done, added) = adding(&h, cancel(&h, mine)).await;
    assert_eq!((done.outcome, added), (Outcome::Cancelled, 1));
    let (again, added) = adding(&h, cancel(&h, mine)).await;
    assert_eq!((again.outcome, added), (Outcome::Cancelled, 1), "cancelled again: recorded, nothing changed");
    let history = h.keeper.bookings().history(&h.pool, h.tenant, mine).await.unwrap();
    assert_eq!(history.len(), 3);
    let (code, added) = adding(&h, async { move_to(&h, mine, 3, one(t[1], 0, 30)).await.outcome }).await;
    let expected =
        Outcome::StateMismatch { expected: Some(BookingStatus::Confirmed), actual: BookingStatus::Cancelled };
    assert_eq!((code, added), (expected, 1));
}

/// Not found is no decision: a typing error, or another tenant's id, uses up no key.
#[tokio::test]
async fn what_is_not_found_is_not_recorded_and_does_not_use_up_the_key() {
    let h = House::open().await;
    let table = h.table().await;
    let held = hold(&h, one(table, 0, 30)).await.id;
    let (k, other) = (h.keeper.bookings(), TenantId::generate());
    let before = h.digest().await;
    for request in [
        ConfirmHold::new(h.tenant, HoldId::generate(), key("k")),
        ConfirmHold::new(h.tenant, HoldId::generate(), key("k")).if_still_free(),
        ConfirmHold::new(other, held, key("k")),
        ConfirmHold::new(h.tenant, held, key("k")).for_pending(BookingId::generate()),
        ConfirmHold::new(h.tenant, held, key("k")).for_pending(BookingId::generate()).if_still_free(),
    ] {
        let error = k.confirm(&h.pool, &request).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    }
    let approve = BookPlaces::new(h.tenant, one(table, 60, 90), key("k")).for_pending(BookingId::generate());
    assert!(matches!(k.book(&h.pool, &approve).await, Err(Error::NotFound { what: "booking" })));
    let move_to = MoveBooking::new(h.tenant, BookingId::generate(), 1, one(table, 60, 90), key("k"));
    assert!(matches!(k.move_to(&h.pool, &move_to).await, Err(Error::NotFound { what: "booking" })));
    let stop = CancelBooking::new(h.tenant, BookingId::generate(), key("k"));
    assert!(matches!(k.cancel(&h.pool, &stop).await, Err(Error::NotFound { what: "booking" })));
    assert_eq!(h.digest().await, before);
    let decision = confirm(&h, ConfirmHold::new(h.tenant, held, key("k"))).await;
    assert_eq!(decision.outcome, Outcome::Confirmed);
}

/// A refusal changes nothing but the record itself.
#[tokio::test]
async fn a_refusal_writes_its_record_and_nothing_else() {
    let h = House::open().await;
    let t = h.tables(2).await;
    booked(&h, one(t[0], 0, 30)).await;
    let late = hold(&h, one(t[1], 0, 30)).await.id;
    expire(&h, late).await;
    let parts = async || {
        let mut text = String::new();
        for table in ["resources", "holds", "allocations", "bookings", "outbox"] {
            let query = format!("SELECT count(*) FILTER (WHERE md5(t::text) > '') FROM slotkeeper.{table} t");
            text += &format!("{} ", h.count(&query).await);
        }
        h.sql("CREATE TABLE IF NOT EXISTS kept AS TABLE slotkeeper.confirmations; DELETE FROM slotkeeper.confirmations").await;
        text + &h.digest().await
    };
    let before = parts().await;
    assert_eq!(book(&h, all(&t, 0, 30)).await.outcome.code(), "conflict");
    assert_eq!(book(&h, one(t[0], 10, 20)).await.outcome.code(), "conflict");
    assert_eq!(confirm_hold(&h, late).await.outcome, Outcome::HoldExpired);
    let mismatch = ConfirmHold::new(h.tenant, late, fresh_key()).expecting_window(window(0, 31));
    assert_eq!(confirm(&h, mismatch).await.outcome.code(), "window_mismatch");
    assert_eq!(parts().await, before);
}

#[tokio::test]
async fn into_result_gives_the_booking_or_the_refusal() {
    let h = House::open().await;
    let table = h.table().await;
    let won = book(&h, one(table, 0, 30)).await;
    let (id, places) = (won.booking.unwrap(), taken(&won));
    assert_eq!(won.into_result(), Ok(id));
    let lost = book(&h, one(table, 0, 30)).await.into_result().unwrap_err();
    let Outcome::Conflict { blockers } = lost else { panic!("{lost:?}") };
    assert_eq!(blockers[0].allocation, Some(places[0]));
    assert_eq!(cancel(&h, id).await.into_result(), Ok(id));
    let stale = move_to(&h, id, 1, one(table, 0, 30)).await;
    assert!(stale.into_result().is_err(), "a refusal about a booking is still a refusal");
}
