//! Releasing: one's own places only, as often as one likes.

use super::common::*;

fn actor(name: &str) -> Actor {
    Actor::new(name).unwrap()
}

#[tokio::test]
async fn releasing_frees_the_places_and_may_be_repeated() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let held = hold(&h, all(&t, 0, 30)).await;
    release(&h, held.id).await;
    assert_eq!(live(&h, held.id).await, 0);
    let other = hold(&h, all(&t, 0, 30)).await;
    let before = h.digest().await;
    release(&h, held.id).await;
    assert_eq!(h.digest().await, before, "the second time nothing is left to free");
    assert_eq!(live(&h, other.id).await, 2);
}

#[tokio::test]
async fn another_actors_hold_does_not_exist() {
    let h = House::open().await;
    let table = h.table().await;
    let place = PlaceHold::new(h.tenant, one(table, 0, 30)).actor(actor("me"));
    let held = h.keeper.holds().place(&h.pool, &place).await.unwrap();
    let before = h.digest().await;
    for request in [
        ReleaseHold::new(h.tenant, held.id),
        ReleaseHold::new(h.tenant, held.id).actor(actor("you")),
        ReleaseHold::new(TenantId::generate(), held.id).actor(actor("me")),
        ReleaseHold::new(h.tenant, HoldId::generate()).actor(actor("me")),
    ] {
        let refused = h.keeper.holds().release(&h.pool, &request).await.unwrap_err();
        assert!(matches!(refused, Error::NotFound { what: "hold" }), "{refused:?}");
    }
    assert_eq!(h.digest().await, before);
    let own = ReleaseHold::new(h.tenant, held.id).actor(actor("me"));
    h.keeper.holds().release(&h.pool, &own).await.unwrap();
}

#[tokio::test]
async fn releasing_never_touches_a_booking() {
    let h = House::open().await;
    let table = h.table().await;
    let held = hold(&h, one(table, 0, 30)).await;
    assert_eq!(confirm_hold(&h, held.id).await.outcome, Outcome::Confirmed);
    let before = h.digest().await;
    let refused = h.keeper.holds().release(&h.pool, &ReleaseHold::new(h.tenant, held.id)).await.unwrap_err();
    assert!(matches!(refused, Error::HoldConsumed), "{refused:?}");
    assert_eq!(h.digest().await, before);
}

#[tokio::test]
async fn releasing_an_expired_hold_never_touches_who_took_its_place_over() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let old = hold(&h, all(&t, 0, 30)).await;
    expire(&h, old.id).await;
    let (held, booked) = (hold(&h, one(t[0], 0, 30)).await, booked(&h, one(t[1], 0, 30)).await);
    release(&h, old.id).await;
    release(&h, old.id).await;
    assert_eq!(live(&h, held.id).await, 1);
    let places = h.keeper.allocations().list_by_booking(&h.pool, h.tenant, booked).await.unwrap();
    assert_eq!(places.len(), 1);
    let found = h.keeper.holds().find(&h.pool, h.tenant, old.id).await.unwrap().unwrap();
    assert_eq!(found.status, HoldStatus::Released);
}

/// Whichever comes first, the other one is told: never a booking without its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn release_and_confirm_at_once_leave_a_whole_booking_or_none() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    warm(&h, 2).await;
    for round in 0..40 {
        let id = hold(&h, all(&t, round * 60, round * 60 + 30)).await.id;
        let answers = race([true, false].map(|releasing| {
            let h = h.clone();
            async move {
                if releasing {
                    let request = ReleaseHold::new(h.tenant, id);
                    return h.keeper.holds().release(&h.pool, &request).await.is_ok();
                }
                confirm_hold(&h, id).await.outcome == Outcome::Confirmed
            }
        }))
        .await;
        assert!(answers[0] != answers[1], "released {}, confirmed {}", answers[0], answers[1]);
        assert_eq!(live(&h, id).await, if answers[1] { 2 } else { 0 });
    }
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}
