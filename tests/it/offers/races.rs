//! Many at once.

use super::*;
use crate::claims::common::{Dice, race};
use OfferSource::{Default, DirectBook};
use std::collections::BTreeMap;

const TASKS: usize = 32;
const ROUNDS: usize = 12;

/// A pool on which callers do not wait for a connection.
fn pool(h: &House) -> deadpool_postgres::Pool {
    h.db.pool(TASKS)
}

/// Overlapping sets in random order, from both sources, with the pruner at work: nothing deadlocks, nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_recorders_of_overlapping_sets_lose_no_count_and_never_deadlock() {
    let h = House::open().await;
    let mut expected = BTreeMap::new();
    let mut dice = Dice::new(7);
    let mut tasks = Vec::new();
    let pool = pool(&h);
    for task in 0..TASKS {
        let source = if task % 4 == 0 { DirectBook } else { Default };
        let mut batches = Vec::new();
        for _ in 0..ROUNDS {
            let minutes = dice.shuffled(&(0..60).collect::<Vec<i64>>());
            let minutes: Vec<i64> = minutes[..40].iter().chain(&minutes[..5]).copied().collect();
            for minute in &minutes {
                *expected.entry((source, *minute)).or_insert(0_i64) += 1;
            }
            let slots = minutes.into_iter().map(at);
            batches.push(RecordOffers::new(h.tenant, source, slots).unwrap());
        }
        let (pool, keeper) = (pool.clone(), h.keeper.clone());
        tasks.push(async move {
            for batch in &batches {
                assert_eq!(keeper.offers().record(&pool, batch).await.unwrap(), 40);
            }
        });
    }
    race(tasks).await;
    for source in OfferSource::ALL {
        let found: BTreeMap<_, _> =
            counts(&h, source).await.into_iter().map(|(m, n)| ((source, m), n)).collect();
        let expected: BTreeMap<_, _> =
            expected.iter().filter(|((of, _), _)| *of == source).map(|(key, n)| (*key, *n)).collect();
        assert_eq!(found, expected);
    }
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// Negative control: two batches that meet the same slots in opposite order do deadlock, and the server's count tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_order_the_same_slots_deadlock() {
    let h = House::open().await;
    record(&h, Default, &[0, 1]).await;
    let touch = |minute| {
        format!("UPDATE slotkeeper.offered_slots SET offered = 9 WHERE starts_at = '{}'", at(minute))
    };
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(2));
    let tasks = [[0, 1], [1, 0]].map(|order| {
        let (pool, barrier, [first, second]) = (h.pool.clone(), barrier.clone(), order.map(touch));
        tokio::spawn(async move {
            let mut client = pool.get().await.unwrap();
            let tx = client.transaction().await.unwrap();
            tx.batch_execute(&first).await.unwrap();
            barrier.wait().await;
            tx.batch_execute(&second).await.is_err()
        })
    });
    let mut victims = 0;
    for task in tasks {
        victims += usize::from(task.await.unwrap());
    }
    assert_eq!((victims, h.db.deadlocks().await.unwrap()), (1, 1));
}

/// Refreshes of random age from many tasks: what is kept in the end began last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_refreshes_at_once_the_one_that_began_last_stays() {
    let h = House::open().await;
    let now = look(&h, Default).await.read_at;
    let began = |n: usize| now - TimeDelta::seconds(60 - i64::try_from(n).unwrap());
    let order = Dice::new(11).shuffled(&(0..TASKS).collect::<Vec<_>>());
    let pool = pool(&h);
    let calls = order.into_iter().map(|n| {
        let (pool, keeper) = (pool.clone(), h.keeper.clone());
        let refresh = RefreshAvailability::new(h.tenant, Default, began(n), body(n)).unwrap();
        async move { keeper.availability_cache().refresh(&pool, &refresh).await.unwrap() }
    });
    let kept = race(calls).await;
    assert!(kept.iter().any(|kept| *kept));
    let found = look(&h, Default).await;
    assert_eq!(found.body.as_ref(), Some(body(TASKS - 1).as_value()));
    assert_eq!(found.as_of, Some(began(TASKS - 1)));
}

/// Both sources at once, failing and invalidated meanwhile: every failure is counted, and no call deadlocks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_and_invalidations_at_once_are_all_counted() {
    let h = House::open().await;
    let pool = pool(&h);
    let calls = (0..TASKS).map(|n| {
        let (pool, keeper, tenant) = (pool.clone(), h.keeper.clone(), h.tenant);
        async move {
            let cache = keeper.availability_cache();
            for _ in 0..ROUNDS {
                let source = OfferSource::ALL[n % 2];
                cache.fail(&pool, tenant, source, &code("down")).await.unwrap();
                let order = if n % 3 == 0 { [Default, DirectBook] } else { [DirectBook, Default] };
                cache.invalidate(&pool, tenant, &order).await.unwrap();
            }
        }
    });
    race(calls).await;
    let each = u32::try_from(TASKS * ROUNDS / 2).unwrap();
    for source in OfferSource::ALL {
        assert_eq!(look(&h, source).await.error_count, each, "{source}");
    }
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}
