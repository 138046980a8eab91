//! Bookings that wait for approval hold nothing; approving them is a race like any other.

use super::common::*;
use slotkeeper::BookingId;

async fn requested(h: &House, from: i64, to: i64) -> BookingId {
    h.keeper.bookings().request(&h.pool, &RequestBooking::new(h.tenant, window(from, to))).await.unwrap()
}

async fn approve(h: &House, booking: BookingId, claim: Claim, key: IdempotencyKey) -> Decision {
    let request = BookPlaces::new(h.tenant, claim, key).for_pending(booking);
    h.keeper.bookings().book(&h.pool, &request).await.unwrap()
}

/// Scenario 4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_overlapping_pending_bookings_approved_at_once_one_is_confirmed() {
    let h = Arc::new(House::open().await);
    let table = h.table().await;
    warm(&h, 2).await;
    for round in 0..20 {
        let start = round * 60;
        let ids = [requested(&h, start, start + 30).await, requested(&h, start + 15, start + 45).await];
        let answers = race([0, 1].map(|n| {
            let (h, claim, id) =
                (h.clone(), one(table, start + 15 * n, start + 30 + 15 * n), ids[n as usize]);
            async move { approve(&h, id, claim, fresh_key()).await }
        }))
        .await;
        let winner = usize::from(answers[0].outcome != Outcome::Confirmed);
        assert_eq!(answers[winner].outcome, Outcome::Confirmed);
        assert_eq!(named(&answers[1 - winner]), taken(&answers[winner]));
        for (n, status) in [(winner, BookingStatus::Confirmed), (1 - winner, BookingStatus::Pending)] {
            let found = h.keeper.bookings().find(&h.pool, h.tenant, ids[n]).await.unwrap().unwrap();
            assert_eq!(found.status, status);
        }
    }
    assert_eq!(h.overlaps().await, 0);
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// Scenario 4: the same one twice, by an impatient double click.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_approval_twice_at_once_is_decided_once_and_replayed() {
    let h = Arc::new(House::open().await);
    let table = h.table().await;
    warm(&h, 2).await;
    for round in 0..20 {
        let start = round * 60;
        let (id, key) = (requested(&h, start, start + 30).await, fresh_key());
        let answers = race([0, 1].map(|_| {
            let (h, key) = (h.clone(), key.clone());
            async move { approve(&h, id, one(table, start, start + 30), key).await }
        }))
        .await;
        assert_eq!(answers.iter().filter(|answer| answer.is_replay()).count(), 1);
        assert_eq!(answers[0].outcome, Outcome::Confirmed);
        assert_eq!(
            (answers[0].confirmation, &answers[0].snapshot),
            (answers[1].confirmation, &answers[1].snapshot)
        );
        let history = h.keeper.bookings().history(&h.pool, h.tenant, id).await.unwrap();
        assert_eq!(history.iter().map(|step| step.revision).collect::<Vec<_>>(), [1, 2]);
    }
    assert_eq!(recorded(&h).await, 20);
}

/// Scenario 4: the same one twice under two keys is two decisions, and the second finds it approved.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_approval_under_another_key_finds_the_booking_confirmed() {
    let h = Arc::new(House::open().await);
    let table = h.table().await;
    warm(&h, 2).await;
    for round in 0..20 {
        let start = round * 60;
        let id = requested(&h, start, start + 30).await;
        let mut codes: Vec<_> = race([0, 1].map(|_| {
            let h = h.clone();
            async move { approve(&h, id, one(table, start, start + 30), fresh_key()).await.outcome.code() }
        }))
        .await;
        codes.sort_unstable();
        assert_eq!(codes, ["confirmed", "state_mismatch"]);
    }
}

/// Scenario 5: a page that was opened before the first booking knows nothing of it.
#[tokio::test]
async fn a_page_opened_before_the_first_booking_gets_a_conflict() {
    let h = House::open().await;
    let table = h.table().await;
    let seen = h.keeper.allocations().is_free(&h.pool, h.tenant, table, window(600, 630)).await.unwrap();
    assert!(seen, "what the second page still shows");
    let first = book(&h, one(table, 600, 630)).await;
    assert_eq!(named(&book(&h, one(table, 600, 630)).await), taken(&first));
}

/// Scenario 9.
#[tokio::test]
async fn a_window_that_starts_inside_another_is_refused_and_a_touching_one_is_not() {
    let h = House::open().await;
    let table = h.table().await;
    let first = book(&h, one(table, 1000, 1020)).await;
    let refused = book(&h, one(table, 1010, 1030)).await;
    assert_eq!(named(&refused), taken(&first));
    let Outcome::Conflict { blockers } = &refused.outcome else { unreachable!() };
    assert_eq!((blockers[0].overlap, blockers[0].kind), (window(1010, 1020), Some(AllocationKind::Booked)));
    assert_eq!(book(&h, one(table, 1020, 1030)).await.outcome, Outcome::Confirmed);
    assert_eq!(book(&h, one(table, 990, 1000)).await.outcome, Outcome::Confirmed);
}
