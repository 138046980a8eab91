//! The same actor holds again: the old hold is exchanged for the new one, or stays.

use super::common::*;

fn me() -> Actor {
    Actor::new("me").unwrap()
}

async fn mine(h: &House, claim: Claim) -> Hold {
    h.keeper.holds().place(&h.pool, &PlaceHold::new(h.tenant, claim).actor(me())).await.unwrap()
}

async fn replace(h: &House, old: HoldId, claim: Claim) -> Result<Hold, Error> {
    let new = PlaceHold::new(h.tenant, claim).actor(me());
    h.keeper.holds().replace(&h.pool, &ReplaceHold::new(old, new)).await
}

/// Scenario 41.
#[tokio::test]
async fn replacing_frees_the_old_places_and_takes_the_new_ones() {
    let h = House::open().await;
    let t = h.tables(3).await;
    let old = mine(&h, all(&t[..2], 600, 630)).await;
    let new = replace(&h, old.id, all(&t[1..], 700, 730)).await.unwrap();
    assert_eq!((live(&h, old.id).await, live(&h, new.id).await), (0, 2));
    let found = h.keeper.holds().find(&h.pool, h.tenant, old.id).await.unwrap().unwrap();
    assert_eq!(found.status, HoldStatus::Replaced);
    assert_eq!(confirm_hold(&h, old.id).await.outcome, Outcome::HoldReleased);
    assert_eq!(confirm_hold(&h, new.id).await.outcome, Outcome::Confirmed);
    hold(&h, all(&t[..2], 600, 630)).await;
}

/// Scenario 41.
#[tokio::test]
async fn a_replacement_that_cannot_be_had_keeps_the_old_hold() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let other = book(&h, one(t[1], 700, 730)).await;
    let old = mine(&h, one(t[0], 600, 630)).await;
    let before = h.digest().await;
    assert_eq!(refused_by(&replace(&h, old.id, all(&t, 700, 730)).await), taken(&other));
    let unknown = ResourceId::generate();
    let missing = replace(&h, old.id, all(&[t[0], unknown], 800, 830)).await.unwrap_err();
    assert!(matches!(missing, Error::ResourceNotFound { resources } if resources == [unknown]));
    assert_eq!(h.digest().await, before, "a refusal changes nothing");
    assert_eq!(confirm_hold(&h, old.id).await.outcome, Outcome::Confirmed);
}

#[tokio::test]
async fn a_hold_can_be_replaced_onto_its_own_overlapping_window() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let old = mine(&h, all(&t, 600, 660)).await;
    let new = replace(&h, old.id, all(&t, 630, 690)).await.unwrap();
    let same = replace(&h, new.id, all(&t, 630, 690)).await.unwrap();
    assert_eq!((live(&h, new.id).await, live(&h, same.id).await), (0, 2));
    assert!(h.keeper.allocations().is_free(&h.pool, h.tenant, t[0], window(600, 630)).await.unwrap());
}

#[tokio::test]
async fn only_the_holds_own_actor_replaces_it_and_only_while_it_is_active() {
    let h = House::open().await;
    let table = h.table().await;
    let old = mine(&h, one(table, 0, 30)).await;
    for actor in [Some(Actor::new("you").unwrap()), None] {
        let mut new = PlaceHold::new(h.tenant, one(table, 60, 90));
        if let Some(actor) = actor {
            new = new.actor(actor);
        }
        let refused = h.keeper.holds().replace(&h.pool, &ReplaceHold::new(old.id, new)).await.unwrap_err();
        assert!(matches!(refused, Error::NotFound { what: "hold" }), "{refused:?}");
    }
    let next = replace(&h, old.id, one(table, 60, 90)).await.unwrap();
    assert!(matches!(replace(&h, old.id, one(table, 120, 150)).await, Err(Error::HoldReleased)));
    assert_eq!(confirm_hold(&h, next.id).await.outcome, Outcome::Confirmed);
    assert!(matches!(replace(&h, next.id, one(table, 120, 150)).await, Err(Error::HoldConsumed)));
    assert!(matches!(
        replace(&h, HoldId::generate(), one(table, 120, 150)).await,
        Err(Error::NotFound { .. })
    ));
}

/// Repeating the replacement after a lost reply finds the new hold.
#[tokio::test]
async fn repeating_a_replacement_returns_the_new_hold() {
    let h = House::open().await;
    let table = h.table().await;
    let old = mine(&h, one(table, 0, 30)).await;
    let request = ReplaceHold::new(old.id, PlaceHold::new(h.tenant, one(table, 15, 45)).actor(me()));
    let first = h.keeper.holds().replace(&h.pool, &request).await.unwrap();
    assert_eq!(h.keeper.holds().replace(&h.pool, &request).await.unwrap(), first);
}

/// Two replacements of one hold at once: one of them is too late, and nothing is held twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_replacements_at_once_one_wins() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    warm(&h, 2).await;
    for round in 0..20 {
        let old = mine(&h, all(&t, round * 100, round * 100 + 30)).await.id;
        let answers = race([10, 40].map(|shift| {
            let (h, claim) = (h.clone(), all(&t, round * 100 + shift, round * 100 + shift + 30));
            async move { replace(&h, old, claim).await }
        }))
        .await;
        let lost = usize::from(answers[0].is_ok());
        assert!(
            answers[1 - lost].is_ok() && matches!(answers[lost], Err(Error::HoldReleased)),
            "{answers:?}"
        );
    }
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.allocations WHERE released_at IS NULL").await, 40);
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}
