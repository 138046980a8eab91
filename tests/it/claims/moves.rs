//! Moving a booking: the new place and the old one change hands together, or neither does.

use super::common::*;

/// Scenario 18. Scenario 52.
#[tokio::test]
async fn a_move_onto_an_occupied_place_is_a_conflict_and_changes_nothing() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let mine = booked(&h, one(t[0], 600, 630)).await;
    let later = book(&h, one(t[0], 700, 730)).await;
    let beside = book(&h, one(t[1], 600, 630)).await;
    let before = h.keeper.bookings().find(&h.pool, h.tenant, mine).await.unwrap().unwrap();
    let places = h.keeper.allocations().list_by_booking(&h.pool, h.tenant, mine).await.unwrap();

    let another_time = move_to(&h, mine, 1, one(t[0], 710, 740)).await;
    assert_eq!((named(&another_time), another_time.booking), (taken(&later), Some(mine)));
    assert_eq!(named(&move_to(&h, mine, 1, one(t[1], 600, 630)).await), taken(&beside), "another resource");
    assert_eq!(named(&move_to(&h, mine, 1, all(&t, 600, 630)).await), taken(&beside), "one of two");

    assert_eq!(h.keeper.bookings().find(&h.pool, h.tenant, mine).await.unwrap().unwrap(), before);
    assert_eq!(before.status, BookingStatus::Confirmed);
    assert_eq!(h.keeper.allocations().list_by_booking(&h.pool, h.tenant, mine).await.unwrap(), places);
    assert!(try_hold(&h, one(t[0], 600, 630)).await.is_err(), "it still holds its place");
    assert_eq!(recorded(&h).await, 6, "each refusal is on record");
}

/// Scenario 51.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_moves_from_the_same_revision_the_second_is_stale() {
    let h = Arc::new(House::open().await);
    let table = h.table().await;
    warm(&h, 2).await;
    for round in 0..20 {
        let start = round * 100;
        let mine = booked(&h, one(table, start, start + 10)).await;
        let answers = race([20, 40].map(|shift| {
            let h = h.clone();
            async move { move_to(&h, mine, 1, one(table, start + shift, start + shift + 10)).await }
        }))
        .await;
        let moved = usize::from(answers[0].outcome != Outcome::Moved);
        assert_eq!(answers[moved].outcome, Outcome::Moved);
        assert_eq!(answers[1 - moved].outcome, Outcome::StaleRevision { expected: 1, actual: 2 });
        let places = h.keeper.allocations().list_by_booking(&h.pool, h.tenant, mine).await.unwrap();
        assert_eq!(places.iter().map(|place| place.id).collect::<Vec<_>>(), taken(&answers[moved]));
    }
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// Its own place is never in its way.
#[tokio::test]
async fn a_move_onto_its_own_overlapping_window_succeeds_and_frees_the_rest() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let mine = booked(&h, all(&t, 600, 660)).await;
    assert_eq!(move_to(&h, mine, 1, one(t[0], 630, 690)).await.outcome, Outcome::Moved);
    let found = h.keeper.bookings().find(&h.pool, h.tenant, mine).await.unwrap().unwrap();
    assert_eq!((found.revision, found.window), (2, window(630, 690)));
    let free = |table, from, to| {
        let h = &h;
        async move { h.keeper.allocations().is_free(&h.pool, h.tenant, table, window(from, to)).await.unwrap() }
    };
    assert!(free(t[0], 600, 630).await && !free(t[0], 630, 690).await && free(t[1], 600, 660).await);
    assert_eq!(move_to(&h, mine, 2, one(t[0], 630, 690)).await.outcome, Outcome::Moved, "onto the very same");
    let history = h.keeper.bookings().history(&h.pool, h.tenant, mine).await.unwrap();
    assert_eq!(
        history.iter().map(|step| step.window).collect::<Vec<_>>(),
        [window(600, 660), window(630, 690), window(630, 690)]
    );
}

/// Two bookings that want each other's place: a move is no swap, and neither loses what it has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crossing_moves_are_both_refused_without_a_deadlock() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    warm(&h, 2).await;
    let ids = [booked(&h, one(t[0], 0, 30)).await, booked(&h, one(t[1], 0, 30)).await];
    for _ in 0..30 {
        let answers = race([0, 1].map(|n| {
            let (h, to) = (h.clone(), one(t[1 - n], 0, 30));
            async move { move_to(&h, ids[n], 1, to).await }
        }))
        .await;
        assert!(answers.iter().all(|answer| answer.outcome.code() == "conflict"));
    }
    assert_eq!(h.overlaps().await, 0);
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// A move takes over an expired hold, as every claim does.
#[tokio::test]
async fn a_move_takes_over_an_expired_hold() {
    let h = House::open().await;
    let table = h.table().await;
    let mine = booked(&h, one(table, 0, 30)).await;
    let old = hold(&h, one(table, 60, 90)).await;
    assert_eq!(move_to(&h, mine, 1, one(table, 60, 90)).await.outcome.code(), "conflict");
    expire(&h, old.id).await;
    assert_eq!(move_to(&h, mine, 1, one(table, 60, 90)).await.outcome, Outcome::Moved);
    assert_eq!(live(&h, old.id).await, 0);
}

/// Scenario 47.
#[tokio::test]
async fn a_cancelled_place_can_be_booked_again_by_the_same_customer_with_a_new_key() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let customer = || BookingDetails::new().customer(CustomerRef::new("c-1").unwrap());
    let ask = |k: &str| BookPlaces::new(h.tenant, all(&t, 600, 630), key(k)).details(customer());
    let first = h.keeper.bookings().book(&h.pool, &ask("a")).await.unwrap();
    assert_eq!(cancel(&h, first.booking.unwrap()).await.outcome, Outcome::Cancelled);
    let again = h.keeper.bookings().book(&h.pool, &ask("b")).await.unwrap();
    assert_eq!((again.outcome.clone(), again.is_replay()), (Outcome::Confirmed, false));
    assert_ne!(again.booking, first.booking);
    let replay = h.keeper.bookings().book(&h.pool, &ask("a")).await.unwrap();
    assert!(replay.is_replay() && replay.booking == first.booking, "the old key keeps its old answer");
    assert_eq!(h.overlaps().await, 0);
}
