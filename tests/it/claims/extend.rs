//! Extending: to an absolute instant, never to an earlier one, never beyond the hold's longest life.

use super::common::*;
use chrono::{DateTime, TimeDelta, Utc};

async fn extend(h: &House, hold: HoldId, until: DateTime<Utc>) -> Result<DateTime<Utc>, Error> {
    h.keeper.holds().extend(&h.pool, &ExtendHold::new(h.tenant, hold, until).unwrap()).await
}

#[tokio::test]
async fn an_extension_is_absolute_and_never_goes_back() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let held = hold(&h, all(&t, 0, 30)).await;
    let (soon, later) = (held.expires_at + TimeDelta::minutes(5), held.expires_at + TimeDelta::minutes(9));
    assert_eq!(extend(&h, held.id, later).await.unwrap(), later);
    let before = h.digest().await;
    assert_eq!(extend(&h, held.id, later).await.unwrap(), later, "a repeat adds nothing");
    assert_eq!(extend(&h, held.id, soon).await.unwrap(), later, "a late arrival takes nothing away");
    assert_eq!(h.digest().await, before);
    let apart = "SELECT count(*) FROM slotkeeper.allocations a JOIN slotkeeper.holds h ON h.id = a.claim_id
                  WHERE a.expires_at <> h.expires_at";
    assert_eq!(h.count(apart).await, 0, "hold and places expire together");
    let found = h.keeper.holds().find(&h.pool, h.tenant, held.id).await.unwrap().unwrap();
    assert_eq!(found.expires_at, later);
}

#[tokio::test]
async fn an_extension_beyond_the_longest_life_names_the_last_instant() {
    let policy = HoldPolicy::new().longest_life(TimeDelta::minutes(10)).unwrap();
    let h = House::with(Slotkeeper::new().with_hold_policy(policy)).await;
    let table = h.table().await;
    let held = hold(&h, one(table, 0, 30)).await;
    let last = held.placed_at + TimeDelta::minutes(10);
    let before = h.digest().await;
    let refused = extend(&h, held.id, last + TimeDelta::microseconds(1)).await.unwrap_err();
    assert!(matches!(refused, Error::HoldTooLong { latest } if latest == last), "{refused:?}");
    assert_eq!(h.digest().await, before);
    assert_eq!(extend(&h, held.id, last).await.unwrap(), last);
}

#[tokio::test]
async fn a_hold_that_is_over_cannot_be_extended() {
    let h = House::open().await;
    let t = h.tables(5).await;
    let mut holds = Vec::new();
    for table in &t {
        holds.push(hold(&h, one(*table, 0, 30)).await);
    }
    let later = holds[0].expires_at + TimeDelta::minutes(5);
    expire(&h, holds[0].id).await;
    assert!(matches!(extend(&h, holds[0].id, later).await, Err(Error::HoldExpired)));
    sweep(&h).await;
    assert!(matches!(extend(&h, holds[0].id, later).await, Err(Error::HoldExpired)), "nor once swept");
    release(&h, holds[1].id).await;
    assert!(matches!(extend(&h, holds[1].id, later).await, Err(Error::HoldReleased)));
    let _ = confirm_hold(&h, holds[2].id).await;
    assert!(matches!(extend(&h, holds[2].id, later).await, Err(Error::HoldConsumed)));
    let new = PlaceHold::new(h.tenant, one(t[3], 60, 90));
    h.keeper.holds().replace(&h.pool, &ReplaceHold::new(holds[3].id, new)).await.unwrap();
    assert!(matches!(extend(&h, holds[3].id, later).await, Err(Error::HoldReleased)));
    assert!(matches!(extend(&h, HoldId::generate(), later).await, Err(Error::NotFound { what: "hold" })));
    let other = ExtendHold::new(TenantId::generate(), holds[4].id, later).unwrap();
    assert!(matches!(h.keeper.holds().extend(&h.pool, &other).await, Err(Error::NotFound { .. })));
    let other = ExtendHold::new(h.tenant, holds[4].id, later).unwrap().actor(Actor::new("you").unwrap());
    assert!(matches!(h.keeper.holds().extend(&h.pool, &other).await, Err(Error::NotFound { .. })));
}
