//! The same windows taken and given up again and again, with autovacuum as it is: what grows, and what gets slower?
//!
//! Rows of the past are kept, so tables grow by what was decided. Bloat is what an index has beyond a fresh one of the
//! same rows, after VACUUM.

use super::{
    relations::{self, Relation},
    speed::{histogram, note, quantile},
    support::{House, fresh_key, only_checking, record, rows},
};
use deadpool_postgres::Pool;
use futures_util::future::join_all;
use hdrhistogram::Histogram;
use serde_json::json;
use slotkeeper::{
    Claim, ResourceId, Slotkeeper, TenantId, Window,
    booking::{CancelBooking, ConfirmHold},
    confirmation::Outcome,
    hold::{PlaceHold, ReleaseHold},
};
use std::time::Instant;

const TASKS: usize = 8;

/// Each task has its own: contention is another bench's matter.
const WINDOWS_PER_TASK: usize = 100;

/// Times of placing, by tenths of the run.
type Tenths = Vec<Histogram<u64>>;

const TABLES: [&str; 5] = ["allocations", "bookings", "confirmations", "holds", "outbox"];

pub async fn run() {
    let mut house = House::open(rows(), false).await;
    let cycles = cycles();
    println!(
        "churn: {}, here synchronous_commit=off, {TASKS} tasks, {cycles} cycles over {} windows; {}",
        house.db.server().describe(),
        TASKS * WINDOWS_PER_TASK,
        house.describe().await
    );
    let before = relations::of(&house.client, &TABLES).await;
    let (live, all) = counts(&house).await;
    let start = Instant::now();
    let tenths = churn(&mut house, cycles).await;
    let seconds = start.elapsed().as_secs_f64();
    let done = i64::try_from(cycles).expect("a count");
    assert_eq!(counts(&house).await, (live, all + done), "every place was given up and every row is kept");
    let after = relations::of(&house.client, &TABLES).await;
    let dead = dead_rows(&house).await;
    house.client.batch_execute("VACUUM").await.expect("a vacuum");
    let vacuumed = relations::of(&house.client, &TABLES).await;
    // In one's own transaction a schema cannot be rebuilt; a table can.
    for table in TABLES {
        let sql = format!("REINDEX TABLE slotkeeper.{table}");
        house.client.batch_execute(&sql).await.expect("fresh indexes");
    }
    let fresh = relations::of(&house.client, &TABLES).await;
    report(&house, cycles, seconds, &tenths, &dead, [&before, &after, &vacuumed, &fresh]);
}

fn cycles() -> usize {
    if only_checking() {
        return 2 * TASKS * 10;
    }
    let asked = std::env::var("SLOTKEEPER_BENCH_CYCLES").unwrap_or_else(|_| "20000".into());
    let cycles: usize = asked.replace('_', "").parse().expect("SLOTKEEPER_BENCH_CYCLES: a number, please");
    cycles.next_multiple_of(TASKS * 10)
}

async fn churn(house: &mut House, cycles: usize) -> Tenths {
    let pool = house.db.pool(TASKS);
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let places: Vec<_> = (0..WINDOWS_PER_TASK).map(|_| house.place()).collect();
            tokio::spawn(task(pool.clone(), house.keeper.clone(), places, cycles / TASKS))
        })
        .collect();
    let mut all: Tenths = (0..10).map(|_| histogram()).collect();
    for tenths in join_all(tasks).await {
        for (all, tenth) in all.iter_mut().zip(tenths.expect("a task's end")) {
            all.add(tenth).expect("the same digits");
        }
    }
    all
}

/// By turns a place that is held and released, and one that is booked and cancelled.
async fn task(
    pool: Pool,
    keeper: Slotkeeper,
    places: Vec<(TenantId, ResourceId, Window)>,
    cycles: usize,
) -> Tenths {
    let client = pool.get().await.expect("a connection");
    keeper.warm(&client).await.expect("a warm cache");
    let mut tenths: Tenths = (0..10).map(|_| histogram()).collect();
    for cycle in 0..cycles {
        // Once through all windows, then the other half of the cycles' kinds: each window sees both.
        let (round, place) = (cycle / places.len(), cycle % places.len());
        let (tenant, table, window) = places[place];
        let hold = PlaceHold::new(tenant, Claim::one(table, window));
        let start = Instant::now();
        keeper.holds().place(&client, &hold).await.expect("a free place");
        note(&mut tenths[cycle * 10 / cycles], start);
        if (round + place) % 2 == 0 {
            let release = ReleaseHold::new(tenant, hold.id());
            keeper.holds().release(&client, &release).await.expect("released");
            continue;
        }
        let confirm = ConfirmHold::new(tenant, hold.id(), fresh_key());
        let decision = keeper.bookings().confirm(&client, &confirm).await.expect("a decision");
        let booking = decision.into_result().expect("confirmed");
        let cancel = CancelBooking::new(tenant, booking, fresh_key());
        let decision = keeper.bookings().cancel(&client, &cancel).await.expect("a decision");
        assert_eq!(decision.outcome, Outcome::Cancelled);
    }
    tenths
}

/// Live allocations, and all of them.
async fn counts(house: &House) -> (i64, i64) {
    let sql = "SELECT count(*) FILTER (WHERE released_at IS NULL), count(*) FROM slotkeeper.allocations";
    let row = house.client.query_one(sql, &[]).await.expect("counts");
    (row.get(0), row.get(1))
}

struct Dead {
    table: String,
    rows: i64,
    vacuums: i64,
}

/// As the server's statistics have it; its sessions have ended and so have reported.
async fn dead_rows(house: &House) -> Vec<Dead> {
    let sql = "SELECT relname::text, n_dead_tup, autovacuum_count FROM pg_stat_user_tables
                WHERE schemaname = 'slotkeeper' AND relname = ANY($1::text[]) ORDER BY relname";
    let rows = house.client.query(sql, &[&&TABLES[..]]).await.expect("statistics");
    rows.iter().map(|row| Dead { table: row.get(0), rows: row.get(1), vacuums: row.get(2) }).collect()
}

#[allow(clippy::cast_precision_loss, reason = "shown with two digits")]
fn report(
    house: &House,
    cycles: usize,
    seconds: f64,
    tenths: &[Histogram<u64>],
    dead: &[Dead],
    stages: [&[Relation]; 4],
) {
    let p50: Vec<f64> = tenths.iter().map(|tenth| quantile(tenth, 0.5)).collect();
    let (first, last) = (p50[0], p50[9]);
    println!(
        "churn: place takes {:.2} × at the end (p50 {first:.0} → {last:.0} µs); {:.0} cycles/s; by tenths {p50:.0?}",
        last / first,
        cycles as f64 / seconds
    );
    let mut results = vec![json!({"kind": "latency", "write": "place_1", "cycles": cycles, "tasks": TASKS,
        "windows": TASKS * WINDOWS_PER_TASK, "seconds": seconds, "p50_us_first_tenth": first,
        "p50_us_last_tenth": last, "ratio": last / first, "p50_us_by_tenths": p50})];
    for Dead { table, rows, vacuums } in dead {
        println!("churn: {table}: {rows} dead rows, autovacuum came {vacuums} times");
        results.push(json!({"kind": "dead_rows", "table": table, "cycles": cycles, "dead_rows": rows,
            "autovacuums": vacuums}));
    }
    println!("churn: {:<32} {:>7} MB before, after, vacuumed, rebuilt", "× rebuilt", "");
    for (((before, after), vacuumed), fresh) in stages[0].iter().zip(stages[1]).zip(stages[2]).zip(stages[3])
    {
        let bloat = vacuumed.bytes as f64 / fresh.bytes.max(1) as f64;
        let [a, b, c, d] = [before, after, vacuumed, fresh].map(Relation::megabytes);
        println!("churn: {:<32} {bloat:>5.2} × {a:>9.2} {b:>9.2} {c:>9.2} {d:>9.2}", before.name);
        results.push(json!({"kind": "size", "relation": before.name, "cycles": cycles,
            "bytes_before": before.bytes, "bytes_after": after.bytes, "bytes_vacuumed": vacuumed.bytes,
            "bytes_rebuilt": fresh.bytes, "bloat": bloat}));
    }
    if !only_checking() {
        record("churn", &house.db, &results);
    }
}
