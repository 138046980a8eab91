//! Expiry by the database's clock, without a sweeper.

use super::common::*;

/// Scenario 39.
#[tokio::test]
async fn a_hold_that_expired_a_millisecond_ago_does_not_block() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let old = hold(&h, all(&t, 600, 630)).await;
    assert!(try_hold(&h, one(t[0], 600, 630)).await.is_err(), "while it lasts it blocks");
    expire(&h, old.id).await;
    let new = hold(&h, one(t[0], 610, 640)).await;
    assert_eq!(live(&h, new.id).await, 1);
    assert_eq!(live(&h, old.id).await, 1, "only what was in the way is taken over");
    assert_eq!(hold(&h, all(&t[1..], 600, 630)).await.status, HoldStatus::Active);
    assert_eq!(h.overlaps().await, 0);
}

/// Scenario 39, by waiting for it: nothing but the clock has moved.
#[tokio::test]
async fn a_hold_expires_by_itself_after_its_ttl() {
    let h = House::open().await;
    let table = h.table().await;
    let brief = Ttl::new(chrono::TimeDelta::seconds(1)).unwrap();
    let place = PlaceHold::new(h.tenant, one(table, 0, 30)).ttl(brief);
    let old = h.keeper.holds().place(&h.pool, &place).await.unwrap();
    assert_eq!((old.expires_at - old.placed_at).num_milliseconds(), 1_000);
    let refused = try_hold(&h, one(table, 0, 30)).await;
    assert_eq!(refused_by(&refused).len(), 1);
    until(&h, old.expires_at).await;
    assert_eq!(
        h.keeper.holds().find(&h.pool, h.tenant, old.id).await.unwrap().unwrap().status,
        HoldStatus::Expired
    );
    assert_eq!(hold(&h, one(table, 0, 30)).await.status, HoldStatus::Active);
    assert_eq!(confirm_hold(&h, old.id).await.outcome, Outcome::HoldExpired);
}

/// Scenario 40.
#[tokio::test]
async fn a_hold_of_the_last_place_does_not_block_its_own_confirm() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let (a, b) = (hold(&h, one(t[0], 0, 30)).await, hold(&h, one(t[1], 0, 30)).await);
    assert_eq!(confirm_hold(&h, a.id).await.outcome, Outcome::Confirmed);
    let ask = ConfirmHold::new(h.tenant, b.id, fresh_key()).if_still_free();
    assert_eq!(confirm(&h, ask).await.outcome, Outcome::Confirmed);
    let c = hold(&h, all(&t, 60, 90)).await;
    assert_eq!(confirm_hold(&h, c.id).await.outcome, Outcome::Confirmed);
}

/// Judged when the statement starts, not when the caller's transaction did.
#[tokio::test]
async fn expiry_in_a_long_transaction_is_judged_when_the_statement_starts() {
    let h = House::open().await;
    let table = h.table().await;
    let old = hold(&h, one(table, 0, 30)).await;
    let mut client = h.pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    tx.batch_execute("SELECT now()").await.unwrap();
    expire(&h, old.id).await;
    let ask = ConfirmHold::new(h.tenant, old.id, fresh_key());
    let late = h.keeper.bookings().confirm(&tx, &ask).await.unwrap();
    assert_eq!(late.outcome, Outcome::HoldExpired, "now() of this transaction is before the expiry");
    h.keeper.holds().place(&tx, &PlaceHold::new(h.tenant, one(table, 0, 30))).await.unwrap();
    tx.commit().await.unwrap();
}
