//! Forgetting slots that have begun.

use super::*;
use OfferSource::{Default, DirectBook};
use slotkeeper::offer::PruneOffers;

/// Makes these slots begin long ago; minutes stay apart.
async fn age(h: &House, before: i64) {
    h.sql(&format!(
        "UPDATE slotkeeper.offered_slots SET starts_at = starts_at - interval '20 years' WHERE starts_at < '{}'",
        at(before)
    ))
    .await;
}

async fn prune(h: &House, before: DateTime<Utc>, limit: u32) -> u64 {
    let prune = PruneOffers::new(h.tenant, before).unwrap().limit(limit).unwrap();
    h.keeper.offers().prune(&h.pool, &prune).await.unwrap()
}

async fn left(h: &House) -> i64 {
    h.count("SELECT count(*) FROM slotkeeper.offered_slots").await
}

#[tokio::test]
async fn past_slots_go_in_batches_and_those_to_come_stay_whatever_is_asked() {
    let h = House::open().await;
    record(&h, Default, &(0..10).collect::<Vec<_>>()).await;
    record(&h, DirectBook, &(0..10).collect::<Vec<_>>()).await;
    age(&h, 7).await;
    let (nine, far) = (at(0) - TimeDelta::days(365 * 30), at(100_000));
    assert_eq!(prune(&h, nine, 1_000).await, 0, "nothing is that old");
    assert_eq!(prune(&h, far, 5).await, 5);
    assert_eq!(prune(&h, far, 5).await, 5);
    assert_eq!(prune(&h, far, 5).await, 4, "seven of each source");
    assert_eq!(prune(&h, far, 5).await, 0);
    assert_eq!(left(&h).await, 6);
    assert_eq!(counts(&h, Default).await, [(7, 1), (8, 1), (9, 1)]);
}

#[tokio::test]
async fn the_instant_itself_stays() {
    let h = House::open().await;
    record(&h, Default, &[0, 1]).await;
    age(&h, 2).await;
    let row = h.db.client().await.unwrap();
    let last = "SELECT max(starts_at) FROM slotkeeper.offered_slots";
    let last: DateTime<Utc> = row.query_one(last, &[]).await.unwrap().get(0);
    assert_eq!(prune(&h, last, 10).await, 1);
    assert_eq!(left(&h).await, 1);
}

#[tokio::test]
async fn another_tenants_slots_stay() {
    let h = House::open().await;
    record(&h, Default, &[0, 1]).await;
    age(&h, 2).await;
    let other = House { tenant: slotkeeper::TenantId::generate(), ..h };
    assert_eq!(prune(&other, at(0), 10).await, 0);
    assert_eq!(left(&other).await, 2);
}

/// A slot that somebody counts on at this moment is not waited for.
#[tokio::test]
async fn a_slot_being_counted_is_left_for_the_next_call() {
    let h = House::open().await;
    record(&h, Default, &[0, 1]).await;
    age(&h, 2).await;
    let mut client = h.pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let touch = "UPDATE slotkeeper.offered_slots SET offered = offered + 1
        WHERE starts_at = (SELECT min(starts_at) FROM slotkeeper.offered_slots)";
    assert_eq!(tx.execute(touch, &[]).await.unwrap(), 1);
    assert_eq!(prune(&h, at(0), 10).await, 1);
    tx.commit().await.unwrap();
    assert_eq!((left(&h).await, prune(&h, at(0), 10).await), (1, 1));
}
