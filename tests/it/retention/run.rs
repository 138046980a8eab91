//! A policy, from beginning to end.

use super::*;
use crate::claims::common::{cancel, hold, move_to, release};
use slotkeeper::{
    InvalidInput,
    allocation::Block,
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

/// Whatever leaves, the audit misses nothing: bookings moved away from a time still to come, cancelled and replaced ones, a
/// blackout opened again.
#[tokio::test]
async fn the_audit_is_clean_after_every_step() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let ago = -10_000_000;
    let (k, db, retention) = (&h.keeper, &h.pool, h.keeper.retention());
    let early = booked(&h, all(&t, 0, 30)).await;
    assert!(move_to(&h, early, 1, one(t[0], ago, ago + 30)).await.outcome.is_success());
    let cancelled = booked(&h, one(t[1], 0, 30)).await;
    let _ = cancel(&h, cancelled).await;
    let over = hold(&h, one(t[1], ago, ago + 30)).await;
    let confirm = slotkeeper::booking::ConfirmHold::new(h.tenant, over.id, fresh_key());
    let over = k.bookings().confirm(db, &confirm).await.unwrap().into_result().unwrap();
    let blackouts = [(t[0], ago + 60), (t[1], 600)]
        .map(|(table, from)| Block::new(h.tenant, one(table, from, from + 30)));
    for blackout in &blackouts {
        k.allocations().block(db, blackout).await.unwrap();
    }
    k.allocations().unblock(db, h.tenant, blackouts[1].id()).await.unwrap();
    assert!(damage(&h).await.is_empty());

    // Two months pass for the records; those to come stay to come.
    let back = "interval '60 days'";
    h.sql(&format!(
        "UPDATE slotkeeper.allocations SET created_at = created_at - {back}, released_at = released_at - {back};
         UPDATE slotkeeper.holds SET placed_at = placed_at - {back}, expires_at = expires_at - {back};
         UPDATE slotkeeper.confirmations SET decided_at = decided_at - {back}, snapshot = jsonb_set(snapshot,
             '{{at}}', to_jsonb((snapshot->>'at')::timestamptz - {back}));
         UPDATE slotkeeper.outbox SET created_at = created_at - {back};
         UPDATE slotkeeper.bookings SET updated_at = updated_at - {back}, history = (
             SELECT jsonb_agg(jsonb_set(e, '{{changed_at}}', to_jsonb((e->>'changed_at')::timestamptz - {back})) ORDER BY at)
               FROM jsonb_array_elements(history) WITH ORDINALITY h (e, at))"
    ))
    .await;
    // The control: moving the records alone would have been noticed, and so would a place that is gone.
    let month = RetentionBatch::new(h.tenant, days(30));
    assert_eq!(retention.prune_holds(db, &month).await.unwrap().rows, 1);
    assert!(damage(&h).await.is_empty(), "{:?}", damage(&h).await);
    // All but the rows of the blackout that was opened again before its time.
    assert_eq!((archive(&h, month).await.rows, rows(&h, "allocations").await), (6, 1));
    assert!(damage(&h).await.is_empty(), "{:?}", damage(&h).await);
    let pruned = retention.prune_bookings(db, &month).await.unwrap();
    assert_eq!(pruned.rows, 1, "the others have, or had, a time still to come");
    assert!(k.bookings().find(db, h.tenant, over).await.unwrap().is_none());
    assert!(damage(&h).await.is_empty(), "{:?}", damage(&h).await);
    assert_eq!(retention.prune_confirmations(db, &month).await.unwrap().rows, 1);
    assert!(damage(&h).await.is_empty(), "{:?}", damage(&h).await);
    h.sql("DELETE FROM slotkeeper.confirmations").await;
    assert!(!damage(&h).await.is_empty(), "the audit can see");
}
