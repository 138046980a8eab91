//! What the cache keeps, and whose.

use super::*;
use OfferSource::{Default, DirectBook};
use slotkeeper::availability_cache::CacheState;

#[tokio::test]
async fn what_was_kept_is_found_with_its_times() {
    let h = House::open().await;
    let empty = look(&h, Default).await;
    assert_eq!((empty.state, &empty.body, empty.as_of), (CacheState::Missing, &None, None));
    assert!(keep(&h, Default, empty.read_at, 1).await);
    let found = look(&h, Default).await;
    assert_eq!(found.state, CacheState::Fresh);
    assert_eq!(found.body.as_ref(), Some(body(1).as_value()));
    assert_eq!(found.as_of, Some(empty.read_at));
    assert!(found.refreshed_at.unwrap() > empty.read_at && found.read_at > found.refreshed_at.unwrap());
    assert_eq!((found.failed_at, found.error_count, found.last_error), (None, 0, None));
}

/// The trap of the original: one source's refresh over the other's row.
#[tokio::test]
async fn refreshing_one_source_leaves_the_other_alone() {
    let h = House::open().await;
    let start = look(&h, Default).await.read_at;
    keep(&h, Default, start, 1).await;
    h.keeper.availability_cache().fail(&h.pool, h.tenant, DirectBook, &code("down")).await.unwrap();
    let theirs = look(&h, DirectBook).await;
    assert_eq!((theirs.state, theirs.error_count), (CacheState::Missing, 1));
    keep(&h, DirectBook, look(&h, DirectBook).await.read_at, 2).await;
    keep(&h, Default, look(&h, Default).await.read_at, 3).await;
    assert_eq!(look(&h, Default).await.body.as_ref(), Some(body(3).as_value()));
    assert_eq!(look(&h, DirectBook).await.body.as_ref(), Some(body(2).as_value()));
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.availability_cache").await, 2);
}

#[tokio::test]
async fn each_tenant_has_a_cache_of_its_own() {
    let h = House::open().await;
    keep(&h, Default, look(&h, Default).await.read_at, 1).await;
    let other = House { tenant: slotkeeper::TenantId::generate(), ..h };
    assert_eq!(look(&other, Default).await.state, CacheState::Missing);
    other.keeper.availability_cache().fail(&other.pool, other.tenant, Default, &code("x")).await.unwrap();
    let all = &OfferSource::ALL;
    other.keeper.availability_cache().invalidate(&other.pool, other.tenant, all).await.unwrap();
    let errors = "SELECT sum(error_count)::bigint FROM slotkeeper.availability_cache WHERE body IS NOT NULL
        OR invalidated_at IS NULL";
    assert_eq!(other.count(errors).await, 0, "the first tenant's row is as it was");
}

#[tokio::test]
async fn a_refresh_that_began_earlier_never_overwrites_one_that_began_later() {
    let h = House::open().await;
    let early = look(&h, Default).await.read_at;
    let late = look(&h, Default).await.read_at;
    assert!(early < late);
    assert!(keep(&h, Default, late, 2).await);
    let kept = look(&h, Default).await;
    assert!(!keep(&h, Default, early, 1).await, "superseded");
    let after = look(&h, Default).await;
    assert_eq!((after.body, after.as_of, after.refreshed_at), (kept.body, kept.as_of, kept.refreshed_at));
    assert!(keep(&h, Default, late, 2).await, "a repeat is harmless");
    assert!(keep(&h, Default, look(&h, Default).await.read_at, 3).await);
    assert_eq!(look(&h, Default).await.body.as_ref(), Some(body(3).as_value()));
}

/// A clock that is ahead must not shut out everybody else for as long as it is.
#[tokio::test]
async fn a_refresh_from_the_future_began_now() {
    let h = House::open().await;
    assert!(keep(&h, Default, at(0), 1).await);
    let found = look(&h, Default).await;
    assert!(found.as_of.unwrap() < found.read_at);
    assert!(keep(&h, Default, found.read_at, 2).await);
    assert_eq!(look(&h, Default).await.body.as_ref(), Some(body(2).as_value()));
}
