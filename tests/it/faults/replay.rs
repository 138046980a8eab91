//! The record answers, not the world: whatever became of the hold, the place or the connection since.

use super::{act::body, audit::assert_whole, wait::*};
use crate::support::*;
use kit::proxy::Proxy;
use slotkeeper::{Error, booking::*, confirmation::Outcome, hold::*};
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn a_replay_answers_when_the_hold_is_long_gone() {
    let h = House::open().await;
    let (t, k) = (h.tables(2).await, h.keeper.bookings());
    let hold = h.keeper.holds().place(&h.pool, &PlaceHold::new(h.tenant, all(&t, 0, 30))).await.unwrap();
    let confirm = ConfirmHold::new(h.tenant, hold.id, fresh_key());
    let first = k.confirm(&h.pool, &confirm).await.unwrap();
    h.sql(
        "DELETE FROM slotkeeper.holds; DELETE FROM slotkeeper.allocations; DELETE FROM slotkeeper.bookings",
    )
    .await;
    let replayed = k.confirm(&h.pool, &confirm).await.unwrap();
    assert!(replayed.is_replay());
    assert_eq!(body(&replayed), body(&first));
    // The control: without the record the same call finds nothing.
    h.sql("DELETE FROM slotkeeper.confirmations").await;
    let error = k.confirm(&h.pool, &confirm).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { what: "hold" }), "{error:?}");
}

#[tokio::test]
async fn a_refused_key_stays_refused_when_the_place_is_free_again() {
    let h = House::open().await;
    let (table, k) = (h.table().await, h.keeper.bookings());
    let request = |key| BookPlaces::new(h.tenant, one(table, 0, 30), key);
    let winner = k.book(&h.pool, &request(fresh_key())).await.unwrap();
    let loser = request(fresh_key());
    let refused = k.book(&h.pool, &loser).await.unwrap();
    assert!(matches!(&refused.outcome, Outcome::Conflict { blockers } if blockers.len() == 1), "{refused:?}");

    let cancel = CancelBooking::new(h.tenant, winner.booking.unwrap(), fresh_key());
    k.cancel(&h.pool, &cancel).await.unwrap().into_result().unwrap();
    assert!(h.keeper.allocations().is_free(&h.pool, h.tenant, table, window(0, 30)).await.unwrap());
    let again = k.book(&h.pool, &loser).await.unwrap();
    assert!(again.is_replay());
    assert_eq!(body(&again), body(&refused));
    let new_key = k.book(&h.pool, &request(fresh_key())).await.unwrap();
    assert_eq!(new_key.outcome, Outcome::Confirmed, "a new key asks anew");
    assert_whole(&h).await;
}

/// What the loser of every kind is told is recorded, and told again whatever happens to the hold.
#[tokio::test]
async fn every_refusal_of_a_confirm_is_replayed_as_it_was() {
    let h = House::open().await;
    let (table, k) = (h.table().await, h.keeper.bookings());
    let mut codes = Vec::new();
    for (n, fate) in ["consumed", "released", "expired", "other window"].into_iter().enumerate() {
        let from = i64::try_from(n).unwrap() * 60;
        let new = PlaceHold::new(h.tenant, one(table, from, from + 30));
        let hold = h.keeper.holds().place(&h.pool, &new).await.unwrap().id;
        let mut confirm = ConfirmHold::new(h.tenant, hold, fresh_key());
        match fate {
            "consumed" => {
                let other = ConfirmHold::new(h.tenant, hold, fresh_key());
                k.confirm(&h.pool, &other).await.unwrap().into_result().unwrap();
            }
            "released" => h.keeper.holds().release(&h.pool, &ReleaseHold::new(h.tenant, hold)).await.unwrap(),
            "expired" => super::state::expire(&h, hold).await,
            _ => confirm = confirm.expecting_window(window(from, from + 31)),
        }
        let refused = k.confirm(&h.pool, &confirm).await.unwrap();
        codes.push(refused.outcome.code());
        h.sql(&format!(
            "UPDATE slotkeeper.holds SET status = 'active', expires_at = now() + interval '1 h' WHERE id = '{hold}'"
        ))
        .await;
        let again = k.confirm(&h.pool, &confirm).await.unwrap();
        assert!(again.is_replay() && body(&again) == body(&refused), "{fate}");
        h.sql(&format!("DELETE FROM slotkeeper.holds WHERE id = '{hold}'")).await;
        assert_eq!(body(&k.confirm(&h.pool, &confirm).await.unwrap()), body(&refused), "{fate}");
    }
    assert_eq!(codes, ["hold_consumed", "hold_released", "hold_expired", "window_mismatch"]);
}

/// Scenario 50. The commit is seen by another session before the connection is ended, so there is no doubt about it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_killed_after_the_commit_is_settled_by_repeating() {
    let h = Arc::new(House::open().await);
    let table = h.table().await;
    let proxy = Proxy::start(&h.db).await.unwrap();
    let pool = proxy.pool(1);
    h.keeper.warm(&pool).await.unwrap();
    let pid = pid(&pool.get().await.unwrap()).await;
    let book = BookPlaces::new(h.tenant, one(table, 0, 30), fresh_key());

    // It waits behind somebody who then gives up; meanwhile the way back becomes endlessly slow.
    let mut other = h.pool.get().await.unwrap();
    let tx = other.transaction().await.unwrap();
    h.keeper.holds().place(&tx, &PlaceHold::new(h.tenant, one(table, 0, 30))).await.unwrap();
    let (house, request) = (Arc::clone(&h), book.clone());
    let call = tokio::spawn(async move { house.keeper.bookings().book(&pool, &request).await });
    assert_eq!(waiters(&h, 1).await, [pid]);
    proxy.delay(Duration::from_secs(3_600));
    tx.rollback().await.unwrap();
    let recorded = "SELECT count(*) FROM slotkeeper.confirmations";
    until("the decision is committed", async || (h.count(recorded).await == 1).then_some(())).await;
    kill(&h, pid).await;
    drop(proxy);

    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown(_)), "{error:?}");
    let settled = h.keeper.bookings().book(&h.pool, &book).await.unwrap();
    assert!(settled.is_replay());
    assert_eq!(settled.outcome, Outcome::Confirmed);
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.bookings").await, 1);
    assert_whole(&h).await;
}
