//! The one thing a refused claim may leave behind: an expired hold in its way, swept. Its row is released in the
//! first pass, and then the place is lost to somebody whom only the second pass sees.

use super::common::*;
use slotkeeper::BookingId;

/// Refused by a place that is taken while it waits: its own claim covers [0, 60), an expired hold had [0, 30), and
/// somebody books [40, 60).
async fn lose<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    h: &House,
    winner: &BookPlaces,
    claim: F,
) -> (T, BookingId) {
    let mut client = h.pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let booking = h.keeper.bookings().book(&tx, winner).await.unwrap().into_result().unwrap();
    let claim = tokio::spawn(claim);
    until_waiting(h, 1).await;
    tx.commit().await.unwrap();
    (claim.await.unwrap(), booking)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_loses_a_race_leaves_the_expired_hold_in_its_way_swept_and_nothing_else() {
    let h = House::open().await;
    for call in ["place one", "place many", "book one", "book many", "block"] {
        let t = h.tables(if call.ends_with("many") { 2 } else { 1 }).await;
        let old = hold(&h, one(t[0], 0, 30)).await.id;
        expire(&h, old).await;
        let found = h.keeper.holds().find(&h.pool, h.tenant, old).await.unwrap();
        let before = h.count("SELECT count(*) FROM slotkeeper.allocations").await;
        let winner = BookPlaces::new(h.tenant, all(&t, 40, 60), fresh_key());
        let (keeper, pool, claim) = (h.keeper.clone(), h.pool.clone(), all(&t, 0, 60));
        let (place, book) =
            (PlaceHold::new(h.tenant, claim.clone()), BookPlaces::new(h.tenant, claim.clone(), fresh_key()));
        let block = Block::new(h.tenant, claim);
        let (refused, booking) = lose(&h, &winner, async move {
            match call.split(' ').next() {
                Some("place") => keeper.holds().place(&pool, &place).await.unwrap_err().code(),
                Some("book") => keeper.bookings().book(&pool, &book).await.unwrap().outcome.code(),
                _ => keeper.allocations().block(&pool, &block).await.unwrap_err().code(),
            }
        })
        .await;
        assert_eq!(refused, "conflict", "{call}");
        let rows = h.count("SELECT count(*) FROM slotkeeper.allocations").await;
        assert_eq!(rows - before, t.len() as i64, "{call}: only the winner has new rows");
        assert_eq!(live(&h, old).await, 0, "{call}: as if a sweep had come by");
        assert_eq!(h.keeper.holds().find(&h.pool, h.tenant, old).await.unwrap(), found, "{call}");
        // What its owner could do before, it still can: nothing while the winner is there, everything afterwards.
        assert_eq!(confirm_hold(&h, old).await.outcome, Outcome::HoldExpired, "{call}");
        cancel(&h, booking).await.into_result().unwrap();
        let late = ConfirmHold::new(h.tenant, old, fresh_key()).if_still_free();
        assert_eq!(confirm(&h, late).await.outcome, Outcome::Confirmed, "{call}");
    }
}
