//! A policy, from beginning to end.

use super::*;
use crate::claims::common::{hold, release};
use slotkeeper::{
    InvalidInput,
    offer::{OfferSource, RecordOffers},
    retention::RetentionPolicy,
};

#[test]
fn ages_and_batches_have_limits() {
    let age = Some(InvalidInput::OutOfRange { field: "age in days", min: 1, max: 36_500 });
    for (days, error) in [(0, age), (1, None), (36_500, None), (36_501, age)] {
        assert_eq!(Age::days(days).err(), error, "{days}");
    }
    let limit = Some(InvalidInput::OutOfRange { field: "limit", min: 1, max: 1_000 });
    for (rows, error) in [(0, limit), (1, None), (1_000, None), (1_001, limit)] {
        assert_eq!(RetentionPolicy::new().batch(rows).err(), error);
        assert_eq!(RetentionBatch::new(slotkeeper::TenantId::SINGLE, days(1)).limit(rows).err(), error);
    }
}

/// Six of everything: a booking, a refusal, a hold confirmed, a hold let go, an offer.
async fn fill(h: &House, table: slotkeeper::ResourceId) {
    for n in 0..6 {
        let from = n * 100;
        booked(h, one(table, from, from + 10)).await;
        let _ = book(h, one(table, from, from + 10)).await;
        let confirmed = hold(h, one(table, from + 10, from + 20)).await;
        let confirm = slotkeeper::booking::ConfirmHold::new(h.tenant, confirmed.id, fresh_key());
        h.keeper.bookings().confirm(&h.pool, &confirm).await.unwrap().into_result().unwrap();
        let let_go = hold(h, one(table, from + 20, from + 30)).await;
        release(h, let_go.id).await;
        let offers = RecordOffers::new(h.tenant, OfferSource::Default, [at(from)]).unwrap();
        h.keeper.offers().record(&h.pool, &offers).await.unwrap();
    }
}

#[tokio::test]
async fn a_run_takes_what_is_over_in_small_batches_and_leaves_what_is_not() {
    let h = House::open().await;
    let table = h.table().await;
    fill(&h, table).await;
    age(&h).await;
    let untouched = h.digest().await;
    fill(&h, table).await;
    let policy = RetentionPolicy::new().bookings(Some(days(365))).batch(4).unwrap();
    let report = h.keeper.retention().run(&h.pool, h.tenant, &policy).await.unwrap();
    let found =
        [&report.holds, &report.allocations, &report.bookings, &report.confirmations].map(|kind| kind.rows);
    assert_eq!((found, report.offers), ([12, 18, 12, 18], 6));
    let text = "holds: 12 done, 0 set aside\nallocations: 18 done, 0 set aside\nbookings: 12 done, 0 set aside\n\
        confirmations: 18 done, 0 set aside\noffers: 6 done";
    assert_eq!(report.to_string(), text);
    for (table, left) in [
        ("holds", 12),
        ("allocations", 18),
        ("bookings", 12),
        ("confirmations", 18),
        ("offered_slots", 6),
        ("outbox", 24),
    ] {
        assert_eq!(rows(&h, table).await, left, "{table}");
    }
    assert_ne!(h.digest().await, untouched);
    let before = h.digest().await;
    let again = h.keeper.retention().run(&h.pool, h.tenant, &policy).await.unwrap();
    assert_eq!(again, slotkeeper::retention::RetentionReport::default(), "once is enough");
    assert_eq!(h.digest().await, before, "and nothing live is touched");
}

#[tokio::test]
async fn bookings_and_what_they_cite_are_kept_for_ever_unless_said() {
    let h = House::open().await;
    let table = h.table().await;
    fill(&h, table).await;
    age(&h).await;
    let report = h.keeper.retention().run(&h.pool, h.tenant, &RetentionPolicy::new()).await.unwrap();
    let found =
        [&report.holds, &report.allocations, &report.bookings, &report.confirmations].map(|kind| kind.rows);
    assert_eq!(found, [12, 18, 0, 6], "of the decisions only the refusals");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["confirmations"]["rows"], &json["offers"]), (&6.into(), &6.into()));
}
