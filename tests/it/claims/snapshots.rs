//! What a decision saw and did, as its record tells it.

use super::common::*;
use slotkeeper::resource::NewResource;

async fn capacities(h: &House) -> Vec<ResourceId> {
    let mut ids = Vec::new();
    for n in 1..=2 {
        let new = NewResource::new(h.tenant, kind("room"), name("r")).parties(n, n * 10).unwrap();
        ids.push(h.keeper.resources().create(&h.pool, &new).await.unwrap().id);
    }
    ids.sort();
    ids
}

/// The stored one, read back through the public API.
async fn stored(h: &House, decision: &Decision, operation: Operation, k: &IdempotencyKey) -> Confirmation {
    let found = h.keeper.confirmations().find_by_key(&h.pool, h.tenant, operation, k).await.unwrap().unwrap();
    assert_eq!(found.snapshot.as_ref().unwrap(), &decision.snapshot);
    assert_eq!((found.id, found.booking), (decision.confirmation, decision.booking));
    assert_eq!((found.outcome().as_ref(), found.decided_at), (Some(&decision.outcome), decision.decided_at));
    found
}

fn sizes(snapshot: &Snapshot) -> Vec<(ResourceId, i32, i32)> {
    snapshot.resources.iter().map(|r| (r.id, r.min_party, r.capacity)).collect()
}

#[tokio::test]
async fn a_confirmed_hold_is_recorded_with_hold_resources_and_places() {
    let h = House::open().await;
    let r = capacities(&h).await;
    let held = hold(&h, all(&r, 600, 630)).await;
    let ask = ConfirmHold::new(h.tenant, held.id, key("k")).expecting_window(window(600, 630));
    let decision = confirm(&h, ask).await;
    stored(&h, &decision, Operation::Confirm, &key("k")).await;
    let s = &decision.snapshot;
    assert_eq!((s.v, s.operation, s.at), (1, Operation::Confirm, decision.decided_at));
    assert_eq!(s.schema, slotkeeper::migrate::SCHEMA_VERSION);
    assert_eq!((s.request.hold, s.request.window), (Some(held.id), Some(window(600, 630))));
    let seen = s.hold.as_ref().unwrap();
    assert_eq!(
        (seen.id, &*seen.status, seen.requested, seen.window),
        (held.id, "active", 2, window(600, 630))
    );
    assert_eq!((seen.placed_at, seen.expires_at), (held.placed_at, held.expires_at));
    assert_eq!(sizes(s), [(r[0], 1, 10), (r[1], 2, 20)]);
    assert!(s.resources.iter().all(|resource| resource.kind == "room"));
    let places =
        h.keeper.allocations().list_by_booking(&h.pool, h.tenant, decision.booking.unwrap()).await.unwrap();
    let places: Vec<_> = places.iter().map(|p| (p.id, p.resource, p.window)).collect();
    assert_eq!(s.allocations.iter().map(|a| (a.id, a.resource, a.window)).collect::<Vec<_>>(), places);
    assert_eq!((s.blockers.len(), &s.booking), (0, &None));
}

#[tokio::test]
async fn a_refused_booking_is_recorded_with_resources_and_blockers() {
    let h = House::open().await;
    let r = capacities(&h).await;
    let first = book(&h, one(r[1], 600, 630)).await;
    let held = hold(&h, one(r[0], 590, 610)).await;
    let ask = BookPlaces::new(h.tenant, all(&r, 605, 660), key("k"));
    let decision = h.keeper.bookings().book(&h.pool, &ask).await.unwrap();
    stored(&h, &decision, Operation::Book, &key("k")).await;
    let s = &decision.snapshot;
    assert_eq!(sizes(s), [(r[0], 1, 10), (r[1], 2, 20)]);
    assert_eq!((s.allocations.len(), &s.hold, decision.booking), (0, &None, None));
    let blockers: Vec<_> = s.blockers.iter().map(|b| (b.resource, b.kind, b.overlap)).collect();
    let expected = [
        (r[0], Some(AllocationKind::Held), window(605, 610)),
        (r[1], Some(AllocationKind::Booked), window(605, 630)),
    ];
    assert_eq!(blockers, expected);
    assert_eq!(s.blockers[1].allocation, Some(taken(&first)[0]));
    assert_eq!(s.request.pairs.len(), 2);
    assert_eq!(live(&h, held.id).await, 1);
    let redacted = s.blockers[0].redacted();
    assert_eq!((redacted.allocation, redacted.kind, redacted.overlap), (None, None, window(605, 610)));
}

#[tokio::test]
async fn moves_and_cancellations_are_recorded_with_the_booking_as_it_was() {
    let h = House::open().await;
    let r = capacities(&h).await;
    let mine = booked(&h, all(&r, 600, 630)).await;
    let moved = move_to(&h, mine, 1, one(r[1], 700, 730)).await;
    let was = moved.snapshot.booking.as_ref().unwrap();
    assert_eq!((was.revision, was.window, was.status), (1, window(600, 630), BookingStatus::Confirmed));
    assert_eq!(sizes(&moved.snapshot), [(r[1], 2, 20)]);
    let cancelled = cancel(&h, mine).await;
    let was = cancelled.snapshot.booking.as_ref().unwrap();
    assert_eq!((was.revision, was.window), (2, window(700, 730)));
    assert_eq!(taken(&cancelled), taken(&moved), "what was given up");
    let told = h.keeper.confirmations().list_by_booking(&h.pool, h.tenant, mine).await.unwrap();
    let told: Vec<_> = told.iter().map(|c| c.outcome.as_str()).collect();
    assert_eq!(told, ["confirmed", "moved", "cancelled"]);
}

/// A late or released hold is recorded as it was found.
#[tokio::test]
async fn a_refused_confirm_is_recorded_with_the_hold_as_it_was_found() {
    let h = House::open().await;
    let r = capacities(&h).await;
    let held = hold(&h, all(&r, 0, 30)).await;
    expire(&h, held.id).await;
    let s = confirm_hold(&h, held.id).await.snapshot;
    assert!(s.hold.as_ref().unwrap().expires_at < s.at, "the evidence of its expiry");
    assert_eq!(sizes(&s).len(), 2);
    release(&h, held.id).await;
    let s = confirm_hold(&h, held.id).await.snapshot;
    assert_eq!(s.hold.unwrap().status, "released");
}

#[tokio::test]
async fn a_record_somebody_changed_or_a_newer_library_wrote_is_said_to_be_so() {
    let h = House::open().await;
    let table = h.table().await;
    let ask = BookPlaces::new(h.tenant, one(table, 0, 30), key("k"));
    let first = h.keeper.bookings().book(&h.pool, &ask).await.unwrap();
    let read = async || {
        let booking = first.booking.unwrap();
        h.keeper.confirmations().list_by_booking(&h.pool, h.tenant, booking).await.unwrap()[0]
            .snapshot
            .clone()
    };
    h.sql("UPDATE slotkeeper.confirmations SET snapshot = snapshot || '{\"v\": 2}'").await;
    assert!(matches!(read().await, Err(SnapshotError::Newer { found: 2, .. })));
    h.sql("UPDATE slotkeeper.confirmations SET snapshot = '{\"v\": 1}'").await;
    assert!(matches!(read().await, Err(SnapshotError::Damaged { .. })));
}
