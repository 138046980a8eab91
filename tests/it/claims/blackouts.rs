//! Blackouts: closing resources is a claim like any other.

use super::common::*;
use slotkeeper::BlackoutId;

async fn block(h: &House, request: &Block) -> Result<BlackoutId, Error> {
    h.keeper.allocations().block(&h.pool, request).await
}

async fn unblock(h: &House, id: BlackoutId) -> Result<(), Error> {
    h.keeper.allocations().unblock(&h.pool, h.tenant, id).await
}

async fn events(h: &House) -> Vec<String> {
    let events = h.keeper.outbox().list(&h.pool, h.tenant, 100).await.unwrap();
    events.into_iter().filter(|event| event.event.starts_with("blackout")).map(|event| event.event).collect()
}

#[tokio::test]
async fn a_blackout_refuses_holds_and_bookings_until_it_is_opened() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let request = Block::new(h.tenant, all(&t, 600, 660));
    let id = block(&h, &request).await.unwrap();
    let refused = book(&h, one(t[1], 630, 690)).await;
    let Outcome::Conflict { blockers } = &refused.outcome else { panic!("{refused:?}") };
    assert_eq!((blockers[0].kind, blockers[0].overlap), (Some(AllocationKind::Blackout), window(630, 660)));
    assert!(try_hold(&h, one(t[0], 600, 610)).await.is_err());
    unblock(&h, id).await.unwrap();
    assert_eq!(book(&h, one(t[1], 630, 690)).await.outcome, Outcome::Confirmed);
    assert_eq!(events(&h).await, ["blackout.blocked", "blackout.unblocked"]);
}

#[tokio::test]
async fn blocking_and_unblocking_may_be_repeated() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let request = Block::new(h.tenant, all(&t, 600, 660));
    block(&h, &request).await.unwrap();
    let before = h.digest().await;
    assert_eq!(block(&h, &request).await.unwrap(), request.id());
    assert_eq!(h.digest().await, before);
    unblock(&h, request.id()).await.unwrap();
    let before = h.digest().await;
    unblock(&h, request.id()).await.unwrap();
    assert_eq!(h.digest().await, before, "one event for one opening");
    let unknown = unblock(&h, BlackoutId::generate()).await.unwrap_err();
    assert!(matches!(unknown, Error::NotFound { what: "blackout" }), "{unknown:?}");
}

#[tokio::test]
async fn a_blackout_gives_way_to_bookings_and_live_holds_and_takes_over_expired_ones() {
    let h = House::open().await;
    let t = h.tables(3).await;
    let b = book(&h, one(t[0], 600, 630)).await;
    let held = hold(&h, one(t[1], 600, 630)).await;
    let before = h.digest().await;
    let refused = block(&h, &Block::new(h.tenant, all(&t, 600, 660))).await.unwrap_err();
    let Error::Conflict { blockers } = &refused else { panic!("{refused:?}") };
    assert_eq!((blockers.len(), blockers[0].allocation), (2, Some(taken(&b)[0])));
    assert_eq!(h.digest().await, before, "all or nothing, and no event");
    let _ = cancel(&h, b.booking.unwrap()).await;
    expire(&h, held.id).await;
    block(&h, &Block::new(h.tenant, all(&t, 600, 660))).await.unwrap();
    assert_eq!(live(&h, held.id).await, 0);
}

/// A hold's or booking's id is no blackout's.
#[tokio::test]
async fn unblocking_never_frees_a_hold_or_a_booking() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let held = hold(&h, one(t[0], 0, 30)).await.id;
    let consumed = hold(&h, one(t[1], 0, 30)).await.id;
    let _ = confirm_hold(&h, consumed).await;
    for id in [held, consumed] {
        let refused = unblock(&h, BlackoutId::from_uuid(id.as_uuid())).await.unwrap_err();
        assert!(matches!(refused, Error::NotFound { .. }), "{refused:?}");
        assert_eq!(live(&h, id).await, 1);
    }
}

/// Closing a place that a hold of it is being placed on: one of the two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blackout_and_a_booking_at_once_leave_one_of_them() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    warm(&h, 2).await;
    for round in 0..30 {
        let claim = all(&t, round * 60, round * 60 + 30);
        let answers = race([true, false].map(|blocking| {
            let (h, claim) = (h.clone(), claim.clone());
            async move {
                if blocking {
                    return block(&h, &Block::new(h.tenant, claim)).await.is_ok();
                }
                book(&h, claim).await.outcome == Outcome::Confirmed
            }
        }))
        .await;
        assert!(answers[0] != answers[1]);
    }
    assert_eq!(h.overlaps().await, 0);
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}
