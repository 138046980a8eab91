//! Many callers who want the same places: decisions a second, how long one waits, deadlocks, double bookings; the
//! library against the recipes that services write by hand.
//!
//! Client and server share the machine's cores: on two of them, as in the figures given, both sides slow each other
//! down, and a recipe of several round trips pays on both. Trust the ratios.
//!
//! `SLOTKEEPER_BENCH_DECISIONS=1000000` makes a campaign: so many decisions a cell, however long that takes, instead of
//! at most 20,000 and 10 s; `…_SECONDS` sets that time. A round that has begun is always finished, and one of plain
//! inserts can take half a minute of deadlocks. `…_RECIPES=library,library_book`, `…_SCENARIOS` and `…_TASKS` choose
//! cells. `…_ASYNC_COMMIT=1` adds a pass with `synchronous_commit = off`.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a bench, not an interface"
)]

#[path = "contention/cell.rs"]
mod cell;
#[path = "contention/check.rs"]
mod check;
#[path = "contention/goals.rs"]
mod goals;
#[path = "contention/row.rs"]
mod row;
#[path = "contention/scenario.rs"]
mod scenario;
mod support;

use cell::{Cell, Limit, Stage};
use kit::proxy::Proxy;
use row::Row;
use scenario::Scenario;
use std::{env, time::Duration};
use support::{
    House, chosen, only_checking,
    recipes::{self, Recipe},
    record, rows,
};

/// Of the link: a server in another room.
const EACH_WAY: Duration = Duration::from_micros(500);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let mut results = Vec::new();
    let mut stage = open(true).await;
    pass(&mut stage, "on", &mut results).await;
    if env::var_os("SLOTKEEPER_BENCH_ASYNC_COMMIT").is_some() {
        stage = open(false).await;
        pass(&mut stage, "off", &mut results).await;
    }
    let rows: Vec<_> = results.iter().map(|row| serde_json::to_value(row).expect("plain JSON")).collect();
    record("contention", &stage.db, &rows);
    goals::print(&results);
    row::head();
    for row in &results {
        println!("{row}");
    }
}

/// A house with the recipes' tables beside it, and nobody connected.
async fn open(synchronous_commit: bool) -> Stage {
    let house = House::open(rows(), synchronous_commit).await;
    println!(
        "contention: {}, synchronous_commit={}; {}",
        house.db.server().describe(),
        if synchronous_commit { "on" } else { "off" },
        house.describe().await
    );
    recipes::set_up(&house.client, &chosen("RECIPES", Recipe::ALL, |recipe| recipe.name().into())).await;
    if only_checking() {
        // Not measured, so nobody need wait a second for each deadlock; a server that refuses is only slower.
        let sql = format!("ALTER DATABASE {} SET deadlock_timeout = '10ms'", house.db.name());
        drop(house.client.batch_execute(&sql).await);
    }
    let House { db, client, keeper, seats, .. } = house;
    drop(client);
    let link = Proxy::start(&db).await.expect("a proxy");
    link.delay(EACH_WAY);
    Stage { deadlocks: db.deadlocks().await.expect("a count"), db, link, keeper, seats, next: 0 }
}

async fn pass(stage: &mut Stage, synchronous_commit: &'static str, results: &mut Vec<Row>) {
    row::head();
    let tasks: &[usize] = if only_checking() { &[8] } else { &[2, 8, 32] };
    for scenario in chosen("SCENARIOS", Scenario::ALL, |scenario| scenario.name().into()) {
        for tasks in chosen("TASKS", tasks.iter().copied(), usize::to_string) {
            for recipe in chosen("RECIPES", Recipe::ALL, |recipe| recipe.name().into()) {
                if scenario.suits(recipe) {
                    let cell = Cell { scenario, recipe, tasks };
                    let row = cell.run(stage, limit(tasks), synchronous_commit).await;
                    println!("{row}");
                    results.push(row);
                }
            }
        }
    }
    check::control(results);
}

fn limit(tasks: usize) -> Limit {
    if only_checking() {
        return Limit { decisions: tasks * 5, time: Duration::from_secs(2) };
    }
    let number = |what| -> Option<usize> {
        let text = env::var(format!("SLOTKEEPER_BENCH_{what}")).ok()?;
        Some(
            text.replace('_', "")
                .parse()
                .unwrap_or_else(|_| panic!("SLOTKEEPER_BENCH_{what}: a number, please")),
        )
    };
    let decisions = number("DECISIONS");
    let seconds = number("SECONDS").map(|seconds| Duration::from_secs(seconds as u64));
    let otherwise = if decisions.is_some() { Duration::MAX } else { Duration::from_secs(10) };
    Limit { decisions: decisions.unwrap_or(20_000), time: seconds.unwrap_or(otherwise) }
}
