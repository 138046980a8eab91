//! Why a claim locks its resources before it takes expired rows over, one step at a time.
//!
//! A late confirm locks the rows that are still its own, and then those in its way. Every other claim locks what it takes
//! over in the order of time. So each can have the row that the other wants, and only the resource, locked before any row,
//! lets one of them wait with empty hands.

use super::found::{expired, waiting};
use crate::support::*;
use slotkeeper::{
    Claim, Error, Pair, ResourceId,
    allocation::Block,
    booking::{BookPlaces, ConfirmHold, MoveBooking},
    confirmation::Outcome,
    hold::{PlaceHold, ReplaceHold},
};
use std::future::Future;

/// A late confirm of two windows of one table, of which the first was taken over by somebody whose time is over too,
/// waits for its second row; the claim comes next. What the claim came to.
async fn meet<T, F>(h: &House, table: ResourceId, claim: F) -> T
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let pair = |from, to| Pair { resource: table, window: window(from, to) };
    let late = expired(h, Claim::pairs([pair(0, 30), pair(60, 90)]).unwrap()).await;
    expired(h, one(table, 0, 30)).await;
    let mut client = h.db.client().await.unwrap();
    let latch = client.transaction().await.unwrap();
    let lock = "SELECT FROM slotkeeper.allocations WHERE claim_id = $1 AND released_at IS NULL FOR UPDATE";
    assert_eq!(latch.execute(lock, &[&late]).await.unwrap(), 1);
    let (keeper, pool) = (h.keeper.clone(), h.pool.clone());
    let confirm = ConfirmHold::new(h.tenant, late, fresh_key()).if_still_free();
    let confirm = tokio::spawn(async move { keeper.bookings().confirm(&pool, &confirm).await });
    waiting(h, 1).await;
    let claim = tokio::spawn(claim);
    waiting(h, 2).await;
    latch.commit().await.unwrap();
    assert_eq!(confirm.await.unwrap().unwrap().outcome, Outcome::Confirmed);
    claim.await.unwrap()
}

/// Of the table alone, and of a second one too: the statements lock for either reason.
async fn claims(h: &House) -> [(ResourceId, Claim); 2] {
    let (t, u) = (h.table().await, h.tables(2).await);
    [(t, one(t, 0, 90)), (u[1], all(&u, 0, 90))]
}

async fn unharmed(h: &House) {
    assert_eq!((h.overlaps().await, h.db.deadlocks().await.unwrap()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn placing_over_expired_rows_waits_for_the_resource() {
    let h = House::open().await;
    for (table, claim) in claims(&h).await {
        let (keeper, pool, new) = (h.keeper.clone(), h.pool.clone(), PlaceHold::new(h.tenant, claim));
        let answer = meet(&h, table, async move { keeper.holds().place(&pool, &new).await }).await;
        assert!(matches!(&answer, Err(Error::Conflict { blockers }) if blockers.len() == 2), "{answer:?}");
        unharmed(&h).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn booking_over_expired_rows_waits_for_the_resource() {
    let h = House::open().await;
    for (table, claim) in claims(&h).await {
        let new = BookPlaces::new(h.tenant, claim, fresh_key());
        let (keeper, pool) = (h.keeper.clone(), h.pool.clone());
        let answer = meet(&h, table, async move { keeper.bookings().book(&pool, &new).await }).await;
        assert_eq!(answer.unwrap().outcome.code(), "conflict");
        unharmed(&h).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_over_expired_rows_waits_for_the_resource() {
    let h = House::open().await;
    for (table, claim) in claims(&h).await {
        let (keeper, pool, block) = (h.keeper.clone(), h.pool.clone(), Block::new(h.tenant, claim));
        let answer = meet(&h, table, async move { keeper.allocations().block(&pool, &block).await }).await;
        assert!(matches!(&answer, Err(Error::Conflict { blockers }) if blockers.len() == 2), "{answer:?}");
        unharmed(&h).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replacing_over_expired_rows_waits_for_the_resource() {
    let h = House::open().await;
    for (table, claim) in claims(&h).await {
        let old = PlaceHold::new(h.tenant, one(table, 100, 130));
        let old = h.keeper.holds().place(&h.pool, &old).await.unwrap().id;
        let new = ReplaceHold::new(old, PlaceHold::new(h.tenant, claim));
        let (keeper, pool) = (h.keeper.clone(), h.pool.clone());
        let answer = meet(&h, table, async move { keeper.holds().replace(&pool, &new).await }).await;
        assert!(matches!(&answer, Err(Error::Conflict { blockers }) if blockers.len() == 2), "{answer:?}");
        unharmed(&h).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moving_over_expired_rows_waits_for_the_resource() {
    let h = House::open().await;
    for (table, claim) in claims(&h).await {
        let book = BookPlaces::new(h.tenant, one(table, 100, 130), fresh_key());
        let booking = h.keeper.bookings().book(&h.pool, &book).await.unwrap().booking.unwrap();
        let to = MoveBooking::new(h.tenant, booking, 1, claim, fresh_key());
        let (keeper, pool) = (h.keeper.clone(), h.pool.clone());
        let answer = meet(&h, table, async move { keeper.bookings().move_to(&pool, &to).await }).await;
        assert_eq!(answer.unwrap().outcome.code(), "conflict");
        unharmed(&h).await;
    }
}

/// A claim of two windows of one table has the first, and for the second it waits; meanwhile a hold expires there that it
/// cannot see. A claim that takes this hold over needs the first window too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taking_one_expired_row_over_waits_for_the_resource() {
    let h = House::open().await;
    for call in ["place", "book"] {
        let table = h.table().await;
        let mut client = h.db.client().await.unwrap();
        let latch = client.transaction().await.unwrap();
        let taken = PlaceHold::new(h.tenant, one(table, 80, 90));
        h.keeper.holds().place(&latch, &taken).await.unwrap();
        let pair = |from, to| Pair { resource: table, window: window(from, to) };
        let wide = PlaceHold::new(h.tenant, Claim::pairs([pair(0, 30), pair(30, 90)]).unwrap());
        let (keeper, pool) = (h.keeper.clone(), h.pool.clone());
        let wide = tokio::spawn(async move { keeper.holds().place(&pool, &wide).await });
        waiting(&h, 1).await;
        expired(&h, one(table, 30, 60)).await;
        let (keeper, pool, claim) = (h.keeper.clone(), h.pool.clone(), one(table, 0, 60));
        let place = PlaceHold::new(h.tenant, claim.clone());
        let book = BookPlaces::new(h.tenant, claim, fresh_key());
        let narrow = tokio::spawn(async move {
            match call {
                "place" => keeper.holds().place(&pool, &place).await.is_ok(),
                _ => keeper.bookings().book(&pool, &book).await.unwrap().outcome.is_success(),
            }
        });
        waiting(&h, 2).await;
        latch.rollback().await.unwrap();
        let won = [wide.await.unwrap().is_ok(), narrow.await.unwrap()];
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{call}: {won:?}");
        unharmed(&h).await;
    }
}
