//! Does a write stay as fast when the book grows, and does the book stay as small when places are taken and given up
//! over and over?
//!
//! `growth`: place and confirm at each size, first among live rows only, then with nine released rows for each live one.
//! `churn`: cycles of place → release and place → confirm → cancel over the same windows. Name one to run only that.
//!
//! `SLOTKEEPER_BENCH_ROWS=10000,100000,1000000,10000000 SLOTKEEPER_BENCH_CYCLES=1000000` is the full campaign; from ten
//! million rows on, history is loaded only with `SLOTKEEPER_BENCH_HISTORY=1`, because it takes an hour.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a bench, not an interface"
)]

#[path = "growth/churn.rs"]
mod churn;
#[path = "growth/relations.rs"]
mod relations;
#[path = "growth/speed.rs"]
mod speed;
mod support;

use serde_json::{Value, json};
use speed::Speed;
use support::{House, only_checking, record, sizes};
use tokio::runtime::Runtime;

/// Released rows for each live one: 90 % of the table.
const HISTORY: usize = 9;

/// From here on history is loaded only when asked for.
const LARGE: usize = 10_000_000;

/// The median at the largest size over that at the smallest.
const GOAL: f64 = 1.4;

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    if wanted("growth") {
        let mut rows = Vec::new();
        let mut speeds = Vec::new();
        for size in sizes() {
            runtime.block_on(grow(size, &mut rows, &mut speeds));
        }
        ratios(&speeds);
    }
    if wanted("churn") {
        runtime.block_on(churn::run());
    }
}

fn wanted(part: &str) -> bool {
    let named: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    named.is_empty() || named.iter().any(|name| part.contains(name.as_str()))
}

async fn grow(live: usize, rows: &mut Vec<Value>, speeds: &mut Vec<Speed>) {
    let mut house = House::open(live, true).await;
    println!(
        "growth: {}, 1 connection, warm cache; {}",
        house.db.server().describe(),
        house.describe().await
    );
    measure(&mut house, live, 0, rows, speeds).await;
    let asked = std::env::var("SLOTKEEPER_BENCH_HISTORY").is_ok_and(|value| value == "1");
    if live >= LARGE && !asked {
        println!("growth: {live} live rows without history; SLOTKEEPER_BENCH_HISTORY=1 loads it");
    } else {
        house.load(live * HISTORY, true).await;
        house.settle().await;
        measure(&mut house, live, live * HISTORY, rows, speeds).await;
    }
    if !only_checking() {
        // After each size: a campaign that is stopped keeps what it has.
        record("growth", &house.db, rows);
    }
}

async fn measure(
    house: &mut House,
    live: usize,
    history: usize,
    rows: &mut Vec<Value>,
    speeds: &mut Vec<Speed>,
) {
    let loaded = if history == 0 { live } else { history };
    let seconds = house.loading.as_secs_f64();
    println!("growth: {live} live + {history} released rows; the last {loaded} loaded in {seconds:.1} s");
    rows.push(json!({"kind": "load", "live_rows": live, "history_rows": history, "loaded_rows": loaded,
        "seconds": seconds}));
    for relation in relations::of(&house.client, &["allocations"]).await {
        println!("growth:   {:<34} {:>10.1} MB", relation.name, relation.megabytes());
        rows.push(json!({"kind": "size", "live_rows": live, "history_rows": history,
            "relation": relation.name, "bytes": relation.bytes}));
    }
    for durable in [true, false] {
        for speed in speed::measure(house, live, history, durable).await {
            println!("growth:   {speed}");
            rows.push(speed.json());
            speeds.push(speed);
        }
    }
}

/// Each median, and its control, over that of the first size, other things equal. The report says which can be trusted.
fn ratios(speeds: &[Speed]) {
    let same =
        |a: &Speed, b: &Speed| (a.write, a.durable, a.history == 0) == (b.write, b.durable, b.history == 0);
    println!("growth: × the median at the first size (goal at 10,000,000 over 10,000: {GOAL} ×)");
    for speed in speeds {
        let Some(first) = speeds.iter().find(|first| same(first, speed)) else { continue };
        let control = speed.control_p50() / first.control_p50();
        println!("growth: {:>5.2} ×  (control {control:.2} ×)  {speed}", speed.p50() / first.p50());
    }
}
