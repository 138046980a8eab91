//! Fresh or stale, by the database's clock.

use super::*;
use OfferSource::{Default, DirectBook};
use slotkeeper::availability_cache::CacheState;

async fn state(h: &House, max_age: TimeDelta) -> CacheState {
    let max_age = MaxAge::new(max_age).unwrap();
    h.keeper.availability_cache().find(&h.pool, h.tenant, Default, max_age).await.unwrap().state
}

/// Age counts from the start of the computation, not from its end: a slow one is old when it arrives.
#[tokio::test]
async fn age_is_counted_from_when_the_computation_began() {
    let h = House::open().await;
    let began = look(&h, Default).await.read_at - TimeDelta::minutes(10);
    keep(&h, Default, began, 1).await;
    assert_eq!(state(&h, TimeDelta::minutes(11)).await, CacheState::Fresh);
    assert_eq!(state(&h, TimeDelta::minutes(10)).await, CacheState::Stale);
    assert!(look(&h, Default).await.body.is_some(), "a stale body is still told");
}

#[tokio::test]
async fn an_error_is_counted_and_never_renews_freshness() {
    let h = House::open().await;
    let began = look(&h, Default).await.read_at - TimeDelta::minutes(10);
    keep(&h, Default, began, 1).await;
    let kept = look(&h, Default).await;
    for n in 1..=3 {
        let cache = h.keeper.availability_cache();
        assert_eq!(cache.fail(&h.pool, h.tenant, Default, &code(&format!("down_{n}"))).await.unwrap(), n);
    }
    let failed = look(&h, Default).await;
    assert_eq!((failed.error_count, failed.last_error.as_deref()), (3, Some("down_3")));
    assert!(failed.failed_at > kept.refreshed_at);
    assert_eq!((failed.body, failed.as_of, failed.refreshed_at), (kept.body, kept.as_of, kept.refreshed_at));
    assert_eq!(state(&h, TimeDelta::minutes(10)).await, CacheState::Stale, "as stale as before");
    assert_eq!(state(&h, TimeDelta::minutes(11)).await, CacheState::Fresh, "and as fresh");

    keep(&h, Default, failed.read_at, 2).await;
    let mended = look(&h, Default).await;
    assert_eq!((mended.error_count, mended.last_error), (0, None));
    assert_eq!(mended.failed_at, failed.failed_at, "when it failed stays known");
}

#[tokio::test]
async fn the_count_of_errors_stops_where_its_type_ends() {
    let h = House::open().await;
    let cache = h.keeper.availability_cache();
    cache.fail(&h.pool, h.tenant, Default, &code("down")).await.unwrap();
    h.sql("UPDATE slotkeeper.availability_cache SET error_count = 2147483646").await;
    for _ in 0..2 {
        let count = cache.fail(&h.pool, h.tenant, Default, &code("down")).await.unwrap();
        assert_eq!(count, 2_147_483_647);
    }
}

/// Also what is still being computed, and also where nothing was kept yet.
#[tokio::test]
async fn what_began_before_an_invalidation_is_stale() {
    let h = House::open().await;
    let cache = h.keeper.availability_cache();
    for kept in [false, true] {
        let began = look(&h, Default).await.read_at;
        if kept {
            keep(&h, Default, began, 1).await;
            assert_eq!(look(&h, Default).await.state, CacheState::Fresh);
        }
        cache.invalidate(&h.pool, h.tenant, &[Default, Default]).await.unwrap();
        assert_ne!(look(&h, Default).await.state, CacheState::Fresh);
        keep(&h, Default, began, 2).await;
        assert_eq!(look(&h, Default).await.state, CacheState::Stale, "begun before");
        keep(&h, Default, look(&h, Default).await.read_at, 3).await;
        assert_eq!(look(&h, Default).await.state, CacheState::Fresh, "begun after");
    }
    keep(&h, DirectBook, look(&h, DirectBook).await.read_at, 4).await;
    cache.invalidate(&h.pool, h.tenant, &[Default]).await.unwrap();
    assert_eq!(look(&h, DirectBook).await.state, CacheState::Fresh, "the other source's");
    cache.invalidate(&h.pool, h.tenant, &[]).await.unwrap();
    assert_eq!(look(&h, DirectBook).await.state, CacheState::Fresh);
    cache.invalidate(&h.pool, h.tenant, &OfferSource::ALL).await.unwrap();
    assert_eq!(look(&h, DirectBook).await.state, CacheState::Stale);
}
