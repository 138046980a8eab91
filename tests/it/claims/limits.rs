//! The limit on an actor's active holds.

use super::common::*;

fn me() -> Actor {
    Actor::new("me").unwrap()
}

async fn limited(limit: u32) -> Arc<House> {
    let policy = HoldPolicy::new().active_per_actor(limit);
    Arc::new(House::with(Slotkeeper::new().with_hold_policy(policy)).await)
}

async fn place(h: &House, actor: Option<Actor>, claim: Claim) -> Result<Hold, Error> {
    let mut request = PlaceHold::new(h.tenant, claim);
    if let Some(actor) = actor {
        request = request.actor(actor);
    }
    h.keeper.holds().place(&h.pool, &request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_simultaneous_holds_under_a_limit_of_three_place_exactly_three() {
    let h = limited(3).await;
    let t = h.tables(8).await;
    warm(&h, 8).await;
    for round in 0..10 {
        let answers = race(t.clone().into_iter().map(|table| {
            let h = h.clone();
            async move { place(&h, Some(me()), one(table, round * 60, round * 60 + 30)).await }
        }))
        .await;
        let placed: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
        assert_eq!(placed.len(), 3, "{answers:?}");
        let refused = answers.iter().filter(|answer| matches!(answer, Err(Error::TooManyHolds { limit: 3 })));
        assert_eq!(refused.count(), 5, "{answers:?}");
        for held in placed {
            let request = ReleaseHold::new(h.tenant, held.id).actor(me());
            h.keeper.holds().release(&h.pool, &request).await.unwrap();
        }
    }
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

#[tokio::test]
async fn only_active_holds_of_the_same_actor_and_tenant_count() {
    let h = limited(1).await;
    let t = h.tables(2).await;
    let first = place(&h, Some(me()), one(t[0], 0, 30)).await.unwrap();
    let before = h.digest().await;
    assert!(matches!(place(&h, Some(me()), one(t[1], 0, 30)).await, Err(Error::TooManyHolds { limit: 1 })));
    assert_eq!(h.digest().await, before);
    place(&h, Some(Actor::new("you").unwrap()), one(t[1], 0, 30)).await.unwrap();
    place(&h, None, one(t[1], 60, 90)).await.unwrap();
    place(&h, None, one(t[1], 100, 130)).await.unwrap();
    expire(&h, first.id).await;
    let second = place(&h, Some(me()), one(t[0], 60, 90)).await.expect("an expired hold does not count");
    let _ = confirm_hold(&h, second.id).await;
    let third = place(&h, Some(me()), all(&t, 200, 230)).await.expect("nor does one that became a booking");
    let request = ReleaseHold::new(h.tenant, third.id).actor(me());
    h.keeper.holds().release(&h.pool, &request).await.unwrap();
    place(&h, Some(me()), one(t[0], 300, 330)).await.expect("nor a released one");
}

#[tokio::test]
async fn replacing_at_the_limit_is_allowed_and_the_repeat_of_a_place_too() {
    let h = limited(1).await;
    let table = h.table().await;
    let request = PlaceHold::new(h.tenant, one(table, 0, 30)).actor(me());
    let first = h.keeper.holds().place(&h.pool, &request).await.unwrap();
    assert_eq!(h.keeper.holds().place(&h.pool, &request).await.unwrap(), first);
    let new = PlaceHold::new(h.tenant, one(table, 15, 45)).actor(me());
    h.keeper.holds().replace(&h.pool, &ReplaceHold::new(first.id, new)).await.unwrap();
    assert!(matches!(place(&h, Some(me()), one(table, 100, 130)).await, Err(Error::TooManyHolds { .. })));
}

/// An expired hold counts for nothing, so exchanging it for a live one makes the count grow.
#[tokio::test]
async fn replacing_an_expired_hold_does_not_get_around_the_limit() {
    let h = limited(1).await;
    let t = h.tables(3).await;
    let old = place(&h, Some(me()), one(t[0], 0, 30)).await.unwrap();
    expire(&h, old.id).await;
    place(&h, Some(me()), one(t[1], 0, 30)).await.unwrap();
    let new = PlaceHold::new(h.tenant, one(t[2], 0, 30)).actor(me());
    let answer = h.keeper.holds().replace(&h.pool, &ReplaceHold::new(old.id, new)).await;
    assert!(matches!(answer, Err(Error::TooManyHolds { limit: 1 })), "{answer:?}");
}
