//! Decisions, their keys, and the bookings that cite them.

use super::*;
use crate::claims::common::{cancel, move_to};
use slotkeeper::confirmation::Outcome;

async fn prune(h: &House) -> u64 {
    h.keeper.retention().prune_confirmations(&h.pool, &batch(h)).await.unwrap().rows
}

#[tokio::test]
async fn refusals_go_and_what_a_kept_booking_cites_stays() {
    let h = House::open().await;
    let table = h.table().await;
    let first = book(&h, one(table, 0, 30)).await;
    let id = first.booking.unwrap();
    let refused = book(&h, one(table, 0, 30)).await;
    assert!(matches!(refused.outcome, Outcome::Conflict { .. }));
    let _ = move_to(&h, id, 1, one(table, 60, 90)).await;
    let _ = cancel(&h, id).await;
    let nothing_new = cancel(&h, id).await;
    assert_eq!((prune(&h).await, rows(&h, "confirmations").await), (0, 5), "none is a day old");
    age(&h).await;
    assert_eq!(prune(&h).await, 2, "the refusal and the second cancel");
    let kept = h.keeper.confirmations().list_by_booking(&h.pool, h.tenant, id).await.unwrap();
    assert_eq!(kept.len(), 3);
    assert!(kept.iter().all(|decision| decision.id != nothing_new.confirmation));
    let uncited = "SELECT count(*) FROM {history} y WHERE y.confirmation_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM slotkeeper.confirmations c WHERE c.tenant_id = y.tenant_id AND c.id = y.confirmation_id)";
    assert_eq!(h.count(uncited).await, 0);

    // With the booking its decisions become free to go.
    let bookings = async || h.keeper.retention().prune_bookings(&h.pool, &batch(&h)).await.unwrap().rows;
    assert_eq!(bookings().await, 0, "its allocations are not archived");
    assert_eq!(archive(&h, batch(&h)).await.rows, 2);
    assert_eq!(bookings().await, 1);
    assert_eq!((prune(&h).await, rows(&h, "confirmations").await), (3, 0));
    assert_eq!(rows(&h, "outbox").await, 3, "the outbox is its relay's");
}

/// P4: one key, one answer, as long as its record is kept; and afterwards a new one.
#[tokio::test]
async fn a_key_is_answered_from_its_record_and_is_new_once_that_is_gone() {
    let h = House::open().await;
    let table = h.table().await;
    let blocker = booked(&h, one(table, 0, 30)).await;
    let request = BookPlaces::new(h.tenant, one(table, 0, 30), key("k"));
    let refused = h.keeper.bookings().book(&h.pool, &request).await.unwrap();
    let _ = cancel(&h, blocker).await;
    h.sql("UPDATE slotkeeper.confirmations SET decided_at = decided_at - interval '29 days' WHERE key = 'k'")
        .await;
    let retention = h.keeper.retention();
    let month = RetentionBatch::new(h.tenant, days(30));
    assert_eq!(retention.prune_confirmations(&h.pool, &month).await.unwrap().rows, 0);
    let replayed = h.keeper.bookings().book(&h.pool, &request).await.unwrap();
    assert!(replayed.is_replay() && replayed.confirmation == refused.confirmation);

    h.sql("UPDATE slotkeeper.confirmations SET decided_at = decided_at - interval '1 day' WHERE key = 'k'")
        .await;
    assert_eq!(retention.prune_confirmations(&h.pool, &month).await.unwrap().rows, 1);
    let decided = h.keeper.bookings().book(&h.pool, &request).await.unwrap();
    assert!(!decided.is_replay());
    assert_eq!(decided.outcome, Outcome::Confirmed);
}

#[tokio::test]
async fn a_booking_touched_lately_or_still_to_come_stays() {
    let h = House::open().await;
    let table = h.table().await;
    let touched = booked(&h, one(table, 0, 30)).await;
    let waiting = slotkeeper::booking::RequestBooking::new(h.tenant, window(0, 30));
    h.keeper.bookings().request(&h.pool, &waiting).await.unwrap();
    age(&h).await;
    archive(&h, batch(&h)).await;
    let _ = cancel(&h, touched).await;
    let to_come = booked(&h, one(table, 0, 30)).await;
    let pruned = h.keeper.retention().prune_bookings(&h.pool, &batch(&h)).await.unwrap();
    assert_eq!(pruned.rows, 1, "the one nobody approved");
    for kept in [touched, to_come] {
        assert!(h.keeper.bookings().find(&h.pool, h.tenant, kept).await.unwrap().is_some());
    }
}
