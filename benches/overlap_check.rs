//! Which index layout answers "is this window free, and who blocks it" fastest, and what does each cost to have?
//!
//! The same live rows lie in one table a layout (`bench.<layout>`, the library's own in `slotkeeper.allocations`). Every
//! layout must give the answers a sweep in memory gives, by the index it is named after, before anything is measured.
//!
//! `cargo bench --bench overlap_check`; sizes by `SLOTKEEPER_BENCH_ROWS`, layouts by `SLOTKEEPER_BENCH_LAYOUTS`. Criterion has what a client waits for, as
//! `overlap_check/<layout>/<rows>` and the case; `slotkeeper-bench/overlap_check.json` what the server does for it.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a bench, not an interface"
)]

#[path = "overlap_check/asks.rs"]
mod asks;
#[path = "overlap_check/check.rs"]
mod check;
#[path = "overlap_check/cold.rs"]
mod cold;
#[path = "overlap_check/layout.rs"]
mod layout;
#[path = "overlap_check/probe.rs"]
mod probe;
#[path = "overlap_check/served.rs"]
mod served;
#[path = "overlap_check/statement.rs"]
mod statement;
#[path = "overlap_check/store.rs"]
mod store;
#[path = "overlap_check/table.rs"]
mod table;

mod support;

use asks::Asks;
use criterion::{Criterion, Throughput};
use layout::Layout;
use probe::{answer, expected};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{House, chosen, only_checking, record, sizes};
use tokio::runtime::Runtime;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let mut results = Vec::new();
    for rows in sizes() {
        let runtime = Runtime::new().expect("a runtime");
        let mut house = runtime.block_on(House::open(rows, false));
        println!(
            "overlap_check: {}, synchronous_commit=off, 1 connection; {}",
            house.db.server().describe(),
            runtime.block_on(house.describe())
        );
        let asks = runtime.block_on(prepare(&house, rows));
        let places: Vec<_> = (0..store::inserts()).map(|_| house.place()).collect();
        let can_be_cold = runtime.block_on(cold::filler(&house));
        let layouts = Layout::all(house.db.server().version_num());
        for layout in chosen("LAYOUTS", layouts, |layout| layout.name.to_owned()) {
            let mut row = runtime.block_on(before(&house, &layout, &asks, rows));
            latencies(&mut criterion, &runtime, &house, &layout, &asks, rows);
            runtime.block_on(after(&house, &layout, &asks, &places, can_be_cold, &mut row));
            results.push(row);
            record("overlap_check", &house.db, &results);
        }
        table::print(&results, rows);
    }
    criterion.final_summary();
}

async fn prepare(house: &House, rows: usize) -> Asks {
    if only_checking() {
        // On a table of a few pages reading all of it is right, and says nothing about the index.
        house.client.batch_execute("SET enable_seqscan = off").await.expect("a setting");
    }
    let nights = store::set_aside(house).await;
    let asks = Asks::of(house, rows, nights, if only_checking() { 20 } else { 500 });
    store::complete(house, &asks).await;
    asks
}

/// Loads and checks.
async fn before(house: &House, layout: &Layout, asks: &Asks, rows: usize) -> Value {
    let rate = store::load(house, layout).await;
    let (deciding, all, heap) = store::sizes(house, layout).await;
    check::check(house, layout, asks).await;
    if only_checking() {
        check::checks_can_fail(house, layout, asks).await;
    }
    let megabytes = |bytes: i64| bytes as f64 / 1e6;
    let names: Vec<_> = layout.indexes.iter().map(|index| index.name.as_str()).collect();
    json!({
        "layout": layout.name,
        "rows": rows,
        "note": layout.note,
        "enforces": layout.enforces,
        "deciding_indexes": names.join(", "),
        "load_rows_per_s": rate,
        "index_mb": megabytes(deciding),
        "all_indexes_mb": megabytes(all),
        "table_mb": megabytes(heap),
    })
}

/// What a client waits for, case by case.
fn latencies(
    criterion: &mut Criterion,
    runtime: &Runtime,
    house: &House,
    layout: &Layout,
    asks: &Asks,
    rows: usize,
) {
    let mut group = criterion.benchmark_group(format!("overlap_check/{}/{rows}", layout.name));
    group.throughput(Throughput::Elements(1));
    for case in &asks.cases {
        let mut turn = case.asks.iter().cycle();
        group.bench_function(case.name, |b| {
            b.iter_custom(|n| {
                runtime.block_on(async {
                    let mut last = None;
                    let start = Instant::now();
                    for _ in 0..n {
                        let ask = turn.next().expect("endless");
                        last = Some((ask, answer(house, layout, case.question, ask).await));
                    }
                    let time = start.elapsed();
                    let (ask, found) = last.expect("one at least");
                    assert_eq!(found, expected(case.question, ask), "{} {}", layout.name, case.name);
                    time
                })
            });
        });
    }
    group.finish();
}

/// The server's own figures, then those that change the table.
async fn after(
    house: &House,
    layout: &Layout,
    asks: &Asks,
    places: &[store::Place],
    can_be_cold: bool,
    row: &mut Value,
) {
    let served = served::measure(house, layout, asks).await;
    row["probe_us"] = json!(served.probe_us);
    row["probes"] = json!(served.probes);
    row["execution_us"] = json!(served.execution_us);
    row["hit_blocks"] = json!(served.hit);
    row["read_blocks"] = json!(served.read);
    row["generic_plans"] = json!(served.generic_plans);
    row["custom_plans"] = json!(served.custom_plans);
    // Emptying the buffers takes a while: when only checking, once is enough.
    if can_be_cold && (layout.is_library() || !only_checking()) {
        let (cold, warm) = cold::measure(house, layout, asks).await;
        row["cold_us"] = json!(cold);
        row["cold_again_us"] = json!(warm);
        row["cold_note"] =
            json!("shared buffers emptied of the layout; the operating system's cache is warm");
    }
    row["insert_us"] = json!(store::insert(house, layout, places).await);
    row["build_s"] = json!(store::rebuild(house, layout).await.as_secs_f64());
    store::discard(house, layout).await;
}
