//! Claims of several resources: the whole set or nothing, in whatever order it was asked for.

use super::common::*;

/// Live claims that hold another number of places than the three they asked for.
async fn parts(h: &House) -> i64 {
    h.count(
        "SELECT count(*) FROM (SELECT claim_id FROM slotkeeper.allocations WHERE released_at IS NULL
          GROUP BY claim_id HAVING count(*) <> 3) part",
    )
    .await
}

/// Scenario 12.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twelve_claims_of_three_resources_in_random_order_leave_no_part_and_no_deadlock() {
    let h = Arc::new(House::open().await);
    let t = h.tables(3).await;
    warm(&h, 12).await;
    let mut dice = Dice::new(12);
    for round in 0..20 {
        let start = round * 60;
        let answers = race((0..12).map(|n| {
            let (h, claim) = (h.clone(), all(&dice.shuffled(&t), start + n % 3, start + 30));
            async move { book(&h, claim).await }
        }))
        .await;
        let confirmed = answers.iter().filter(|answer| answer.outcome == Outcome::Confirmed).count();
        let codes: Vec<_> = answers.iter().map(|answer| answer.outcome.code()).collect();
        assert_eq!(confirmed, 1, "{codes:?}");
        assert!(codes.iter().all(|code| ["confirmed", "conflict"].contains(code)), "{codes:?}");
    }
    assert_eq!((parts(&h).await, h.overlaps().await), (0, 0));
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// Scenario 12, over expired holds that every claim must take over, by holds and bookings mixed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taking_over_expired_holds_of_several_resources_leaves_no_part_and_no_deadlock() {
    let h = Arc::new(House::open().await);
    let t = h.tables(3).await;
    warm(&h, 12).await;
    let mut dice = Dice::new(21);
    for round in 0..20 {
        let start = round * 60;
        // Three rows on each resource, in an order of their own.
        for table in dice.shuffled(&t) {
            for part in 0..3 {
                expire(&h, hold(&h, one(table, start + part * 10, start + part * 10 + 10)).await.id).await;
            }
        }
        let answers = race((0..12).map(|n| {
            let (h, claim) = (h.clone(), all(&dice.shuffled(&t), start, start + 30));
            async move {
                if n % 2 == 0 {
                    return book(&h, claim).await.into_result().is_ok();
                }
                match try_hold(&h, claim).await {
                    Ok(_) => true,
                    Err(Error::Conflict { .. }) => false,
                    Err(other) => panic!("{other:?}"),
                }
            }
        }))
        .await;
        assert_eq!(answers.into_iter().filter(|won| *won).count(), 1);
    }
    assert_eq!((parts(&h).await, h.overlaps().await), (0, 0));
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// Sets that overlap only in part: {1,2}, {2,3}, {1,3}, at windows that overlap only in part.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_that_share_only_some_resources_leave_no_part_and_no_deadlock() {
    let h = Arc::new(House::open().await);
    let t = h.tables(3).await;
    warm(&h, 12).await;
    let mut dice = Dice::new(3);
    for round in 0..20 {
        let start = round * 60;
        let answers = race((0..12).map(|n| {
            let pair = dice.shuffled(&t)[..2].to_vec();
            let h = h.clone();
            async move { book(&h, all(&pair, start + n, start + n + 20)).await }
        }))
        .await;
        let confirmed = answers.iter().filter(|answer| answer.outcome == Outcome::Confirmed).count();
        assert_eq!(confirmed, 1, "any two of the sets share a resource");
    }
    let halves = "SELECT count(*) FROM (SELECT claim_id FROM slotkeeper.allocations GROUP BY claim_id
                   HAVING count(*) <> 2) half";
    assert_eq!((h.count(halves).await, h.overlaps().await), (0, 0));
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// The check for parts can fail.
#[tokio::test]
async fn the_check_for_parts_sees_a_planted_one() {
    let h = House::open().await;
    let t = h.tables(3).await;
    booked(&h, all(&t, 0, 30)).await;
    assert_eq!(parts(&h).await, 0);
    h.sql("DELETE FROM slotkeeper.allocations WHERE id = (SELECT id FROM slotkeeper.allocations LIMIT 1)")
        .await;
    assert_eq!(parts(&h).await, 1);
}
