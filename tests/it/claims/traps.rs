//! What one statement with several parts gets wrong if its parts do not read from each other, and what a statement that
//! waited must not believe. Each test holds a transaction open where it matters.

use super::common::*;
use chrono::TimeDelta;

/// Makes a hold end in 300 ms.
async fn ends_soon(h: &House, hold: HoldId) -> chrono::DateTime<chrono::Utc> {
    for (table, column) in [("holds", "id"), ("allocations", "claim_id")] {
        h.sql(&format!(
            "UPDATE slotkeeper.{table} SET expires_at = (SELECT placed_at FROM slotkeeper.holds WHERE id = '{hold}')
                    + interval '400 ms' WHERE {column} = '{hold}'"
        ))
        .await;
    }
    h.keeper.holds().find(&h.pool, h.tenant, hold).await.unwrap().unwrap().expires_at
}

/// If the claim did not read from the release, their order were undefined and the place lost without a word.
#[tokio::test]
async fn a_claim_that_takes_over_gets_the_place_in_one_statement() {
    let h = House::open().await;
    let t = h.tables(2).await;
    for round in 0..30 {
        let from = round * 100;
        for table in &t {
            for part in [0, 10, 20] {
                expire(&h, hold(&h, one(*table, from + part, from + part + 10)).await.id).await;
            }
        }
        let claim = if round % 2 == 0 { one(t[0], from, from + 30) } else { all(&t, from, from + 30) };
        match round % 3 {
            0 => drop(hold(&h, claim).await),
            1 => drop(booked(&h, claim).await),
            _ => {
                let mine = booked(&h, one(t[0], from + 50, from + 60)).await;
                assert_eq!(move_to(&h, mine, 1, claim).await.outcome, Outcome::Moved);
            }
        }
    }
    assert_eq!(h.overlaps().await, 0);
    let expired =
        "SELECT count(*) FROM slotkeeper.allocations WHERE released_at IS NULL AND expires_at < now()";
    assert_eq!(h.count(expired).await, 15 * 3, "those of the rounds that wanted one table only");
    // Released and claimed at one instant: the start of one statement. A second pass would have another.
    let passes = "SELECT count(*) FROM slotkeeper.allocations old
                   WHERE old.released_at IS NOT NULL AND old.kind = 'held' AND NOT EXISTS (
                         SELECT FROM slotkeeper.allocations new WHERE new.resource_id = old.resource_id
                            AND new.during && old.during AND new.created_at = old.released_at)";
    assert_eq!(h.count(passes).await, 0, "released in one statement, claimed in another");
}

/// Expiry is judged on the row that is taken, after waiting for whoever is changing it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_is_being_extended_is_not_taken_over() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    for (round, commit) in [true, false, true, false].into_iter().enumerate() {
        let from = round as i64 * 100;
        let claim = if round < 2 { one(t[0], from, from + 30) } else { all(&t, from, from + 30) };
        let held = hold(&h, claim.clone()).await;
        let ends = ends_soon(&h, held.id).await;
        let mut client = h.pool.get().await.unwrap();
        let tx = client.transaction().await.unwrap();
        let extend = ExtendHold::new(h.tenant, held.id, ends + TimeDelta::minutes(5)).unwrap();
        h.keeper.holds().extend(&tx, &extend).await.unwrap();
        until(&h, ends).await;
        let taker = tokio::spawn({
            let h = h.clone();
            async move { try_hold(&h, claim).await }
        });
        until_waiting(&h, 1).await;
        if commit {
            tx.commit().await.unwrap();
            assert!(!refused_by(&taker.await.unwrap()).is_empty(), "the extension came first");
            assert_eq!(confirm_hold(&h, held.id).await.outcome, Outcome::Confirmed);
        } else {
            tx.rollback().await.unwrap();
            assert!(taker.await.unwrap().is_ok(), "it was never extended");
            assert_eq!(confirm_hold(&h, held.id).await.outcome, Outcome::HoldExpired);
        }
    }
    assert_eq!(h.overlaps().await, 0);
}

/// Confirmed in time in an open transaction, taken over after its time: the confirm was first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_is_being_confirmed_is_not_taken_over() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    for (round, late) in [false, true, true].into_iter().enumerate() {
        let (from, commit) = (round as i64 * 100, round < 2);
        let held = hold(&h, all(&t, from, from + 30)).await;
        let ends = ends_soon(&h, held.id).await;
        let mut client = h.pool.get().await.unwrap();
        let tx = client.transaction().await.unwrap();
        let mut ask = ConfirmHold::new(h.tenant, held.id, fresh_key());
        if late {
            until(&h, ends).await;
            ask = ask.if_still_free();
        }
        let confirmed = h.keeper.bookings().confirm(&tx, &ask).await.unwrap();
        assert_eq!(confirmed.outcome, Outcome::Confirmed);
        until(&h, ends).await;
        let taker = tokio::spawn({
            let (h, claim) = (h.clone(), one(t[1], from + 10, from + 20));
            async move { book(&h, claim).await }
        });
        until_waiting(&h, 1).await;
        if commit {
            tx.commit().await.unwrap();
            assert_eq!(named(&taker.await.unwrap()), [taken(&confirmed)[1]]);
        } else {
            tx.rollback().await.unwrap();
            assert_eq!(taker.await.unwrap().outcome, Outcome::Confirmed);
            assert_eq!(h.keeper.bookings().confirm(&h.pool, &ask).await.unwrap().outcome.code(), "conflict");
        }
    }
    assert_eq!(h.overlaps().await, 0);
}

/// Taken over in an open transaction, paid for meanwhile: never both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_is_being_taken_over_is_confirmed_only_if_that_fails() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    for (round, commit) in [true, false].into_iter().enumerate() {
        let from = round as i64 * 100;
        let held = hold(&h, all(&t, from, from + 30)).await.id;
        expire(&h, held).await;
        let mut client = h.pool.get().await.unwrap();
        let tx = client.transaction().await.unwrap();
        let taker = PlaceHold::new(h.tenant, one(t[0], from + 10, from + 20));
        h.keeper.holds().place(&tx, &taker).await.unwrap();
        // Without the wish to wait and see, the answer does not depend on the taker.
        let payment = tokio::spawn({
            let h = h.clone();
            async move { confirm(&h, ConfirmHold::new(h.tenant, held, fresh_key()).if_still_free()).await }
        });
        until_waiting(&h, 1).await;
        if commit {
            tx.commit().await.unwrap();
            assert_eq!(named(&payment.await.unwrap()).len(), 1);
            assert_eq!(
                (live(&h, taker.id()).await, confirm_hold(&h, held).await.outcome),
                (1, Outcome::HoldExpired)
            );
        } else {
            tx.rollback().await.unwrap();
            assert_eq!(payment.await.unwrap().outcome, Outcome::Confirmed);
            assert_eq!(live(&h, held).await, 2);
        }
    }
    assert_eq!(h.overlaps().await, 0);
}
