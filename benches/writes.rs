//! What a write costs, against the cheapest write there is: one prepared autocommit INSERT of the same row into
//! `allocations`, with all its constraints and indexes, over the same driver and connection.
//!
//! Read the ratios, not the times: `cargo bench --bench writes` prints them at the end, of medians of this run.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a bench, not an interface"
)]

mod support;

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use slotkeeper::{
    AllocationId, Claim, ClaimId,
    booking::{BookPlaces, ConfirmHold},
    confirmation::Outcome,
    hold::PlaceHold,
};
use std::time::{Duration, Instant};
use support::{House, fresh_key, only_checking, rows};
use tokio::runtime::Runtime;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(60)
        .warm_up_time(Duration::from_secs(2))
        .measurement_time(Duration::from_secs(8))
        .configure_from_args();
    for (group, durable) in [("writes", true), ("writes_async_commit", false)] {
        let runtime = Runtime::new().expect("a runtime");
        let mut house = runtime.block_on(House::open(rows(), durable));
        println!(
            "{group}: {}, synchronous_commit={}, 1 connection, warm cache; {}",
            house.db.server().describe(),
            if durable { "on" } else { "off" },
            runtime.block_on(house.describe())
        );
        let mut benches = criterion.benchmark_group(group);
        benches.throughput(Throughput::Elements(1));
        measure(&mut benches, &runtime, &mut house);
        benches.finish();
        runtime.block_on(hot_updates(&house));
        ratios(group);
    }
    criterion.final_summary();
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, runtime: &Runtime, house: &mut House) {
    group.bench_function("bare_insert", |b| b.iter_custom(|n| runtime.block_on(bare_insert(house, n))));
    group.bench_function("place_1", |b| b.iter_custom(|n| runtime.block_on(place_1(house, n))));
    group.bench_function("confirm_2", |b| b.iter_custom(|n| runtime.block_on(confirm_2(house, n))));
    group.bench_function("book_1", |b| b.iter_custom(|n| runtime.block_on(book_1(house, n))));
}

async fn bare_insert(house: &mut House, n: u64) -> Duration {
    let sql =
        "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, expires_at)
               VALUES ($1, $2, $3, $4, 'held', $5, statement_timestamp() + interval '180 s')";
    let statement = house.client.prepare_cached(sql).await.expect("a statement");
    let places: Vec<_> = (0..n).map(|_| house.place()).collect();
    let start = Instant::now();
    for (tenant, table, window) in places {
        let (id, claim) = (AllocationId::generate(), ClaimId::generate());
        let done = house.client.execute(&statement, &[&tenant, &id, &table, &window, &claim]).await;
        assert_eq!(done.expect("a free place"), 1);
    }
    start.elapsed()
}

async fn place_1(house: &mut House, n: u64) -> Duration {
    let places: Vec<_> = (0..n).map(|_| house.place()).collect();
    let holds = house.keeper.holds();
    let start = Instant::now();
    for (tenant, table, window) in places {
        let new = PlaceHold::new(tenant, Claim::one(table, window));
        holds.place(&house.client, &new).await.expect("a free place");
    }
    start.elapsed()
}

/// Only the confirming is timed; the holds are placed before.
async fn confirm_2(house: &mut House, n: u64) -> Duration {
    let mut placed = Vec::new();
    for _ in 0..n {
        let (tenant, claim) = house.claim(2);
        let hold = house.keeper.holds().place(&house.client, &PlaceHold::new(tenant, claim)).await;
        placed.push((tenant, hold.expect("a free place").id));
    }
    let bookings = house.keeper.bookings();
    let start = Instant::now();
    for (tenant, hold) in placed {
        let confirm = ConfirmHold::new(tenant, hold, fresh_key());
        let decision = bookings.confirm(&house.client, &confirm).await.expect("a decision");
        assert_eq!(decision.outcome, Outcome::Confirmed);
    }
    start.elapsed()
}

async fn book_1(house: &mut House, n: u64) -> Duration {
    let places: Vec<_> = (0..n).map(|_| house.place()).collect();
    let bookings = house.keeper.bookings();
    let start = Instant::now();
    for (tenant, table, window) in places {
        let book = BookPlaces::new(tenant, Claim::one(table, window), fresh_key());
        let decision = bookings.book(&house.client, &book).await.expect("a decision");
        assert_eq!(decision.outcome, Outcome::Confirmed);
    }
    start.elapsed()
}

/// Confirming must stay within its page: an index on anything it changes shows here at once.
async fn hot_updates(house: &House) {
    let query = "SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables
                  WHERE schemaname = 'slotkeeper' AND relname IN ('allocations', 'holds') ORDER BY relname";
    house.client.batch_execute("SELECT pg_stat_clear_snapshot()").await.expect("fresh statistics");
    for row in house.client.query(query, &[]).await.expect("statistics") {
        let (table, updates, hot): (&str, i64, i64) = (row.get(0), row.get(1), row.get(2));
        println!("hot updates on {table}: {hot} of {updates}");
    }
}

/// Medians of this run, as Criterion wrote them, over the bare insert's.
fn ratios(group: &str) {
    if only_checking() {
        return;
    }
    let median = |id: &str| -> Option<f64> {
        let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
        let text =
            std::fs::read_to_string(format!("{target}/criterion/{group}/{id}/new/estimates.json")).ok()?;
        serde_json::from_str::<serde_json::Value>(&text).ok()?["median"]["point_estimate"].as_f64()
    };
    let Some(bare) = median("bare_insert") else { return };
    println!("{group}: bare_insert {:.0} µs", bare / 1_000.0);
    for (id, goal) in [("place_1", 1.4), ("confirm_2", 1.5), ("book_1", 1.7)] {
        if let Some(time) = median(id) {
            println!(
                "{group}: {id} {:.0} µs, {:.2} × bare_insert (goal {goal} × when durable)",
                time / 1_000.0,
                time / bare
            );
        }
    }
}
