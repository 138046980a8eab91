//! How many instructions the server spends on each write: callgrind counts them in a real back end, over the extended
//! protocol, on prepared statements with statistics.
//!
//! Times wobble with the machine; this does not: a figure repeats to within two parts in a hundred, so a statement that has
//! become dearer by three is seen at once. What it does not see is waiting: for the disk, for locks, for the client.
//!
//! Needs `valgrind`. `SLOTKEEPER_BENCH_IDS=place_1,book_1` takes some of the writes; what callgrind wrote for each is kept
//! in `<target>/slotkeeper-callgrind/`, for `callgrind_annotate`.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    dead_code,
    reason = "a bench, not an interface; of the writes it shares with another bench it uses its part"
)]

#[path = "writes/bare.rs"]
mod bare;
#[path = "instructions/counter.rs"]
mod counter;
#[path = "writes/library.rs"]
mod library;
#[path = "writes/same_rows.rs"]
mod same_rows;
mod support;
#[path = "writes/write.rs"]
mod write;

use counter::{Counter, under_callgrind};
use serde_json::{Value, json};
use std::{future::Future, pin::Pin};
use support::{House, chosen, only_checking, record};
use tokio::runtime::Runtime;
use write::Write;

/// Live rows: few, because the server runs a hundred times slower than usual while they are written.
const ROWS: usize = 10_000;

/// Calls before counting, so that caches are warm, and the generic plan is chosen (after five).
const WARM_UP: usize = 12;

/// Calls that are counted together.
const CALLS: usize = 40;

type Count = for<'a> fn(&'a mut House, &'a Counter, &'static str) -> Pin<Box<dyn Future<Output = u64> + 'a>>;

fn main() {
    if !under_callgrind() {
        return;
    }
    Runtime::new().expect("a runtime").block_on(all());
}

async fn all() {
    let mut house = House::open(if only_checking() { 1_000 } else { ROWS }, true).await;
    // Statistics renewed in the middle of a count would have its plans made anew within it.
    let quiet = "ALTER SYSTEM SET autovacuum = off";
    house.client.batch_execute(quiet).await.expect("a setting");
    house.client.batch_execute("SELECT pg_reload_conf()").await.expect("a setting");
    let counter = Counter::of(&house).await;
    let mut rows: Vec<Value> = Vec::new();
    for (id, count) in chosen("IDS", writes(), |(id, _)| (*id).to_owned()) {
        let instructions = count(&mut house, &counter, id).await;
        println!("{id}: {} thousand instructions", instructions / 1_000);
        rows.push(json!({ "id": id, "instructions": instructions }));
    }
    record("instructions", &house.db, &rows);
}

/// Everything that is counted, in the order of the report.
fn writes() -> Vec<(&'static str, Count)> {
    macro_rules! writes {
        ($($id:literal $write:ty;)+) => {
            vec![$(($id, (|house, counter, id| Box::pin(counted::<$write>(house, counter, id))) as Count)),+]
        };
    }
    writes! {
        "bare_insert" bare::BareInsert;
        "place_1" library::Place1;
        "same_rows_place_1" same_rows::Place1;
        "place_refused" library::PlaceRefused;
        "place_3" library::Place3;
        "confirm_2" library::Confirm2;
        "same_rows_confirm_2" same_rows::Confirm2;
        "replay" library::Replay;
        "book_1" library::Book1;
        "same_rows_book_1" same_rows::Book1;
        "book_3" library::Book3;
        "move" library::Move1;
        "cancel" library::Cancel;
        "block" library::Block1;
        "extend" library::Extend;
        "release" library::Release;
    }
}

/// Instructions of one call, on average.
async fn counted<W: Write>(house: &mut House, counter: &Counter, id: &str) -> u64 {
    let (warm_up, calls) = if only_checking() { (1, 2) } else { (WARM_UP, CALLS) };
    for _ in 0..warm_up {
        let request = W::prepare(house).await;
        W::call(house, request).await;
    }
    let mut requests = Vec::new();
    for _ in 0..calls {
        requests.push(W::prepare(house).await);
    }
    // What the marks themselves cost is counted first, and taken off.
    counter.mark(house).await;
    let marks = counter.mark(house).await;
    for request in requests {
        W::call(house, request).await;
    }
    let all = counter.mark(house).await;
    counter.keep(id, all.file());
    (all.instructions() - marks.instructions()) / calls as u64
}
