//! Many callers, one window: the database decides, and says whom it chose.

use super::common::*;

/// Scenario 1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_bookings_of_one_window_one_wins_and_nine_name_the_winner() {
    let h = Arc::new(House::open().await);
    let table = h.table().await;
    warm(&h, 10).await;
    let answers = race((0..10).map(|_| {
        let h = h.clone();
        async move { book(&h, one(table, 600, 630)).await }
    }))
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.outcome == Outcome::Confirmed);
    assert_eq!((won.len(), lost.len()), (1, 9));
    let winner = taken(won[0]);
    assert!(lost.iter().all(|loser| named(loser) == winner), "a loser names somebody else");
    assert_eq!(recorded(&h).await, 10);
    assert_eq!((live(&h, claim_of(&h).await).await, h.overlaps().await), (1, 0));
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

async fn claim_of(h: &House) -> uuid::Uuid {
    let client = h.db.client().await.unwrap();
    client.query_one("SELECT claim_id FROM slotkeeper.bookings", &[]).await.unwrap().get(0)
}

/// Scenario 1, through holds: the losers are refused before they hold anything, and nothing is recorded for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_holds_of_one_window_one_is_placed_and_nine_name_it() {
    let h = Arc::new(House::open().await);
    let table = h.table().await;
    warm(&h, 10).await;
    let answers = race((0..10).map(|_| {
        let h = h.clone();
        async move { try_hold(&h, one(table, 600, 630)).await }
    }))
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.is_ok());
    assert_eq!((won.len(), lost.len()), (1, 9));
    let confirmed = confirm_hold(&h, won[0].as_ref().unwrap().id).await;
    assert_eq!(confirmed.outcome, Outcome::Confirmed);
    assert!(lost.iter().all(|answer| refused_by(answer) == taken(&confirmed)));
    assert_eq!(recorded(&h).await, 1);
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// Scenario 2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_callers_fill_twenty_slots_exactly() {
    let h = Arc::new(House::open().await);
    let table = h.table().await;
    warm(&h, 50).await;
    let answers = race((0..200).map(|n| {
        let h = h.clone();
        let start = (n % 20) * 30;
        async move { book(&h, one(table, start, start + 30)).await }
    }))
    .await;
    let confirmed = answers.iter().filter(|answer| answer.outcome == Outcome::Confirmed).count();
    let lost = answers.iter().filter(|answer| answer.outcome != Outcome::Confirmed);
    let conflicts = lost.filter(|answer| named(answer).len() == 1).count();
    assert_eq!((confirmed, conflicts), (20, 180));
    assert_eq!((recorded(&h).await, h.overlaps().await), (200, 0));
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// Scenario 11.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_duels_end_in_one_confirmed_and_one_conflict_each() {
    let h = Arc::new(House::open().await);
    let table = h.table().await;
    warm(&h, 2).await;
    for round in 0..500 {
        // Windows that only partly overlap in every other round: the constraint compares windows, not starts.
        let start = round * 20;
        let answers = race([0, round % 2 * 5].map(|shift| {
            let h = h.clone();
            async move { book(&h, one(table, start + shift, start + shift + 10)).await }
        }))
        .await;
        let codes = [answers[0].outcome.code(), answers[1].outcome.code()];
        assert!(matches!(codes, ["confirmed", "conflict"] | ["conflict", "confirmed"]), "{round}: {codes:?}");
    }
    assert_eq!(h.overlaps().await, 0);
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// The two figures above can be something else than zero.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checks_see_a_planted_overlap_and_a_real_deadlock() {
    let h = House::open().await;
    let t = h.tables(2).await;
    booked(&h, one(t[0], 0, 30)).await;
    h.sql(
        "ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_resource_during_excl;
         INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
         SELECT tenant_id, gen_random_uuid(), resource_id, during, kind, claim_id FROM slotkeeper.allocations",
    )
    .await;
    assert_eq!(h.overlaps().await, 1);
    let (a, b) = (h.db.client().await.unwrap(), h.db.client().await.unwrap());
    let lock = |n: usize| format!("UPDATE slotkeeper.resources SET updated_at = now() WHERE id = '{}'", t[n]);
    let begin = |n| format!("SET deadlock_timeout = '10ms'; BEGIN; {}", lock(n));
    a.batch_execute(&begin(0)).await.unwrap();
    b.batch_execute(&begin(1)).await.unwrap();
    let (first, second) = (lock(1), lock(0));
    let (x, y) = tokio::join!(a.batch_execute(&first), b.batch_execute(&second));
    assert!(x.is_err() != y.is_err(), "exactly one of the two is sacrificed");
    drop((a, b));
    assert_eq!(h.db.deadlocks().await.unwrap(), 1);
}
