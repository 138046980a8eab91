//! Everything at once: random writes of many tasks, and then an audit that trusts neither the library nor its index.
//!
//! `SLOTKEEPER_STORM_SECONDS` sets the length (4), `SLOTKEEPER_SEED` the dice.

mod audit;
mod audit_control;
mod campaign;
mod dice;
mod figures;
mod found;
mod lock_order;
mod one_window;
mod site;
mod weather;

use crate::support::*;
use figures::Figures;
use site::Site;
use slotkeeper::{TenantId, resource::NewResource};
use std::{env, sync::Arc, time::Duration};

const TASKS: u64 = 16;
const RESOURCES: usize = 6;

/// What a caller may be told in a storm. Above all not `busy`: nothing here waits for long.
const ALLOWED: [&str; 17] = [
    "ok",
    "replayed",
    "confirmed",
    "moved",
    "cancelled",
    "erased",
    "conflict",
    "hold_expired",
    "hold_released",
    "hold_consumed",
    "window_mismatch",
    "state_mismatch",
    "stale_revision",
    "!conflict",
    "!hold_expired",
    "!hold_released",
    "!hold_consumed",
];

/// Scenarios 2, 11, 12, 33 and 46, all at once: every kind of write, several tenants with resources of the same ids,
/// claims in random order, expired holds taken over, moves and replacements, keys sent twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_leaves_nothing_broken_and_no_deadlock() {
    let (seconds, seed) = (number("SLOTKEEPER_STORM_SECONDS").unwrap_or(4), seed());
    let house = House::open().await;
    let sites = sites(&house, 2, RESOURCES).await;
    let tasks = (0..TASKS).map(|n| {
        let site = Arc::clone(&sites[n as usize % sites.len()]);
        tokio::spawn(async move { site.weather(seed.wrapping_add(n), Duration::from_secs(seconds)).await })
    });
    let figures = gather(tasks.collect()).await;
    println!("storm: {seconds} s, {TASKS} tasks, seed {seed}: {figures}\n{:#?}", figures.answers);
    for answer in figures.answers.keys() {
        let code = answer.split(' ').nth(1).unwrap();
        assert!(ALLOWED.contains(&code), "{answer}");
    }
    for code in ["confirmed", "moved", "cancelled", "erased", "replayed", "!conflict", "hold_expired"] {
        assert!(figures.total(code) > 0, "the storm never saw {code}");
    }
    let mut wrong = audit::audit(&house).await;
    wrong.extend(audit::records(&house, &figures.decisions).await);
    assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
    // Scenario 35: no stored counter has drifted from what it counts.
    assert_audit(&house).await;
    assert_eq!(house.db.deadlocks().await.unwrap(), 0);
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}

fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    number("SLOTKEEPER_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish())
}

/// Tenants whose resources have the same ids: only the tenant tells them apart.
async fn sites(house: &House, tenants: usize, resources: usize) -> Vec<Arc<Site>> {
    let ids = house.tables(resources).await;
    let mut sites = Vec::new();
    for n in 0..tenants {
        let tenant = if n == 0 { house.tenant } else { TenantId::generate() };
        for &id in ids.iter().filter(|_| n > 0) {
            let new = NewResource::new(tenant, kind("table"), name("table")).with_id(id);
            house.keeper.resources().create(&house.pool, &new).await.unwrap();
        }
        sites.push(Arc::new(Site::new(house, tenant, ids.clone())));
    }
    sites
}

async fn gather(tasks: Vec<tokio::task::JoinHandle<Figures>>) -> Figures {
    let mut all = Figures::new();
    for task in tasks {
        all.add(task.await.expect("a task without a panic"));
    }
    all
}
