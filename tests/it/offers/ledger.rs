//! Slots, counted.

use super::*;
use OfferSource::{Default, DirectBook};

#[tokio::test]
async fn every_offer_counts_and_a_slot_named_twice_counts_twice() {
    let h = House::open().await;
    assert_eq!(record(&h, Default, &[30, 0, 30, 60]).await, 3, "three slots");
    assert_eq!(record(&h, Default, &[30]).await, 1);
    assert_eq!(counts(&h, Default).await, [(0, 1), (30, 3), (60, 1)]);
}

#[tokio::test]
async fn the_first_offer_stays_the_first_and_the_last_moves() {
    let h = House::open().await;
    record(&h, Default, &[0]).await;
    let before = listed(&h, Default).await.swap_remove(0);
    assert_eq!(before.first_offered_at, before.last_offered_at);
    record(&h, Default, &[0]).await;
    let after = listed(&h, Default).await.swap_remove(0);
    assert_eq!(after.first_offered_at, before.first_offered_at);
    assert!(after.last_offered_at > before.last_offered_at);
}

#[tokio::test]
async fn each_source_and_each_tenant_has_a_ledger_of_its_own() {
    let h = House::open().await;
    record(&h, Default, &[0, 30]).await;
    record(&h, DirectBook, &[30, 30]).await;
    let other = House { tenant: slotkeeper::TenantId::generate(), ..h };
    assert_eq!(counts(&other, Default).await, []);
    record(&other, Default, &[0]).await;
    assert_eq!(counts(&other, Default).await, [(0, 1)]);
    let all = "SELECT count(*) FROM slotkeeper.offered_slots";
    assert_eq!(other.count(all).await, 4);
    let sum = "SELECT sum(offered)::bigint FROM slotkeeper.offered_slots WHERE source = 'direct_book'";
    assert_eq!(other.count(sum).await, 2);
}

#[tokio::test]
async fn pages_follow_one_another_without_gap_or_repetition() {
    let h = House::open().await;
    record(&h, Default, &(0..250).collect::<Vec<_>>()).await;
    let mut from = at(0);
    let mut seen = Vec::new();
    loop {
        let rest = slotkeeper::Window::new(from, at(200)).unwrap();
        let page = ListOffers::new(h.tenant, Default, rest).limit(60).unwrap();
        let page = h.keeper.offers().list(&h.pool, &page).await.unwrap();
        let Some(last) = page.last() else { break };
        from = last.starts_at + TimeDelta::microseconds(1);
        seen.extend(page.iter().map(|slot| (slot.starts_at - at(0)).num_minutes()));
    }
    assert_eq!(seen, (0..200).collect::<Vec<_>>(), "up to the window's end, which is not part of it");
}

/// The whole batch or nothing of it, with what else the transaction did.
#[tokio::test]
async fn offers_of_a_transaction_vanish_with_it() {
    let h = House::open().await;
    let mut client = h.pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let request = RecordOffers::new(h.tenant, Default, [at(0)]).unwrap();
    h.keeper.offers().record(&tx, &request).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(counts(&h, Default).await, []);
}
