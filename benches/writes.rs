//! What a write costs, against the cheapest write there is: one prepared autocommit INSERT of the same row into
//! `allocations`, with all its constraints and indexes, over the same driver and connection.
//!
//! Beside each of the library's writes stands its own SQL sent raw (`raw_…`): what is left between the two is the
//! library; and the rows it leaves, written bare in one statement that asks nothing (`same_rows_…`): what is left between
//! those two is deciding. And beside placing stand the recipes that services write by hand.
//!
//! Read the ratios, not the times. They are taken by turns, after Criterion has drawn its pictures: see `writes/turns.rs`.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a bench, not an interface"
)]

#[path = "writes/bare.rs"]
mod bare;
#[path = "writes/hot.rs"]
mod hot;
#[path = "writes/library.rs"]
mod library;
#[path = "writes/raw.rs"]
mod raw;
#[path = "writes/same_rows.rs"]
mod same_rows;
mod support;
#[path = "writes/together.rs"]
mod together;
#[path = "writes/turns.rs"]
mod turns;
#[path = "writes/write.rs"]
mod write;

use criterion::{Criterion, Throughput};
use std::time::{Duration, Instant};
use support::{
    House, chosen,
    recipes::{self, Answer, Recipe, Wish},
    record, rows,
};
use tokio::runtime::Runtime;
use turns::Turn;
use write::timed;

/// Those that place one row into a table of their own.
const BY_HAND: [Recipe; 4] =
    [Recipe::LockedLook, Recipe::InsertCatch, Recipe::Advisory, Recipe::Serializable];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(60)
        .warm_up_time(Duration::from_secs(2))
        .measurement_time(Duration::from_secs(8))
        .configure_from_args();
    let mut rows_of_all = Vec::new();
    let groups = [("writes", true), ("writes_async_commit", false)];
    for (group, durable) in chosen("GROUPS", groups, |group| group.0.to_owned()) {
        let runtime = Runtime::new().expect("a runtime");
        let mut house = runtime.block_on(House::open(rows(), durable));
        println!(
            "{group}: {}, synchronous_commit={}, 1 connection, warm cache; {}",
            house.db.server().describe(),
            if durable { "on" } else { "off" },
            runtime.block_on(house.describe())
        );
        runtime.block_on(recipes::set_up(&house.client, &BY_HAND));
        let turns = turns();
        let mut benches = criterion.benchmark_group(group);
        benches.throughput(Throughput::Elements(1));
        for turn in &turns {
            benches.bench_function(turn.id, |b| b.iter_custom(|n| (turn.run)(&runtime, &mut house, n)));
        }
        benches.finish();
        let rows = turns::measure(group, &runtime, &mut house, &turns);
        turns::print(group, &rows);
        rows_of_all.extend(rows);
        rows_of_all.push(runtime.block_on(hot::updates(group, &mut house)));
        record("writes", &house.db, &rows_of_all);
    }
    criterion.final_summary();
}

/// Everything that is measured, in the order of the report.
fn turns() -> Vec<Turn> {
    /// An async function on the house, so many times over.
    macro_rules! turns {
        ($($id:literal $run:expr;)+) => {
            vec![$(Turn {
                id: $id,
                run: Box::new(|runtime, house, n| runtime.block_on($run(house, n))),
            }),+]
        };
    }
    let mut turns = turns! {
        "bare_insert" timed::<bare::BareInsert>;
        "bare_insert_heap" timed::<bare::BareInsertHeap>;
        "place_1" timed::<library::Place1>;
        "raw_place_1" timed::<raw::RawPlace1>;
        "same_rows_place_1" timed::<same_rows::Place1>;
        "place_3" timed::<library::Place3>;
        "confirm_2" timed::<library::Confirm2>;
        "raw_confirm_2" timed::<raw::RawConfirm2>;
        "same_rows_confirm_2" timed::<same_rows::Confirm2>;
        "book_1" timed::<library::Book1>;
        "raw_book_1" timed::<raw::RawBook1>;
        "same_rows_book_1" timed::<same_rows::Book1>;
        "book_3" timed::<library::Book3>;
        "replay" timed::<library::Replay>;
        "place_refused" timed::<library::PlaceRefused>;
        "cancel" timed::<library::Cancel>;
        "move" timed::<library::Move1>;
        "block" timed::<library::Block1>;
        "extend" timed::<library::Extend>;
        "release" timed::<library::Release>;
        "place_1_of_8_pipelined" together::place_pipelined;
        "book_1_of_8_in_a_transaction" together::book_in_transaction;
    };
    turns.extend(BY_HAND.map(|recipe| Turn {
        id: recipe.name(),
        run: Box::new(move |runtime, house, n| runtime.block_on(by_hand(house, recipe, n))),
    }));
    turns
}

async fn by_hand(house: &mut House, recipe: Recipe, n: u64) -> Duration {
    let wishes: Vec<Wish> = (0..n)
        .map(|_| house.place())
        .map(|(tenant, table, window)| Wish { tenant, tables: vec![table], window })
        .collect();
    let start = Instant::now();
    for wish in &wishes {
        let answer = recipe.claim(&mut house.client, &house.keeper, wish).await;
        assert_eq!(answer, Answer::Won);
    }
    start.elapsed()
}
