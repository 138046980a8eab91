//! How long a write takes in the book as it is, one after the other on one connection.
//!
//! Sizes are measured minutes or hours apart, and a machine does not stay the same: the flush of a commit alone has been
//! seen to take five times as long once others used the processor. So between blocks of calls a control is timed, the
//! commit of one row in a table of its own, which does not know how large the book is.

use super::support::{House, fresh_key, only_checking};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use slotkeeper::{Claim, booking::ConfirmHold, confirmation::Outcome, hold::PlaceHold};
use std::{fmt, time::Instant};

pub struct Speed {
    pub write: &'static str,
    pub live: usize,
    pub history: usize,
    pub durable: bool,
    /// In nanoseconds.
    times: Histogram<u64>,
    /// The same of the control, between the blocks of these very calls.
    control: Histogram<u64>,
    /// Page images after a checkpoint are in it: they are why a large book costs more than its depth.
    wal_bytes: i64,
}

impl Speed {
    /// In microseconds.
    pub fn p50(&self) -> f64 {
        quantile(&self.times, 0.5)
    }

    /// In microseconds.
    pub fn control_p50(&self) -> f64 {
        quantile(&self.control, 0.5)
    }

    #[allow(clippy::cast_precision_loss, reason = "bytes of a few thousand calls")]
    fn wal_per_call(&self) -> f64 {
        self.wal_bytes as f64 / self.times.len() as f64
    }

    pub fn json(&self) -> Value {
        json!({
            "kind": "latency", "write": self.write, "live_rows": self.live, "history_rows": self.history,
            "durable": self.durable, "calls": self.times.len(), "p50_us": self.p50(), "p99_us": quantile(&self.times, 0.99),
            "max_us": quantile(&self.times, 1.0), "control_p50_us": self.control_p50(),
            "ratio_to_control": self.p50() / self.control_p50(), "wal_bytes_per_call": self.wal_per_call(),
        })
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<9} {:>9} live + {:>9} released, {:<13} p50 {:>6.0} µs (control {:.0}), p99 {:>6.0} µs, {:>5.0} bytes of WAL a call",
            self.write,
            self.live,
            self.history,
            if self.durable { "durable," } else { "async commit," },
            self.p50(),
            self.control_p50(),
            quantile(&self.times, 0.99),
            self.wal_per_call()
        )
    }
}

pub async fn measure(house: &mut House, live: usize, history: usize, durable: bool) -> [Speed; 2] {
    let set = format!("SET synchronous_commit = {}", if durable { "on" } else { "off" });
    house.client.batch_execute(&set).await.expect("a setting");
    house.client.batch_execute("CREATE TABLE IF NOT EXISTS control (n bigint)").await.expect("a table");
    let (calls, block) = if only_checking() { (20, 10) } else { (3_000, 100) };
    let scans = sequential_scans(house).await;
    let speed = |write| {
        let (times, control) = (histogram(), histogram());
        Speed { write, live, history, durable, times, control, wal_bytes: 0 }
    };
    // Not counted: the server plans a statement anew five times before it keeps a plan.
    place(house, block, &mut histogram()).await;
    confirm(house, block, &mut histogram()).await;
    let (mut placed, mut confirmed) = (speed("place_1"), speed("confirm_2"));
    for _ in 0..calls / block {
        control(house, block, &mut placed.control).await;
        placed.wal_bytes += place(house, block, &mut placed.times).await;
    }
    for _ in 0..calls / block {
        control(house, block, &mut confirmed.control).await;
        confirmed.wal_bytes += confirm(house, block, &mut confirmed.times).await;
    }
    assert_eq!(sequential_scans(house).await, scans, "no write reads a whole table");
    [placed, confirmed]
}

async fn control(house: &House, calls: usize, times: &mut Histogram<u64>) {
    let insert = house.client.prepare_cached("INSERT INTO control VALUES (1)").await.expect("a statement");
    for _ in 0..calls {
        let start = Instant::now();
        house.client.execute(&insert, &[]).await.expect("a row");
        note(times, start);
    }
}

/// Returns the bytes of WAL written.
async fn place(house: &mut House, calls: usize, times: &mut Histogram<u64>) -> i64 {
    let before = wal(house).await;
    for _ in 0..calls {
        let (tenant, table, window) = house.place();
        let hold = PlaceHold::new(tenant, Claim::one(table, window));
        let start = Instant::now();
        house.keeper.holds().place(&house.client, &hold).await.expect("a free place");
        note(times, start);
    }
    wal(house).await - before
}

/// Only the confirming is timed and its WAL counted; the holds are placed before.
async fn confirm(house: &mut House, calls: usize, times: &mut Histogram<u64>) -> i64 {
    let mut confirms = Vec::with_capacity(calls);
    for _ in 0..calls {
        let (tenant, claim) = house.claim(2);
        let hold = PlaceHold::new(tenant, claim);
        house.keeper.holds().place(&house.client, &hold).await.expect("a free place");
        confirms.push(ConfirmHold::new(tenant, hold.id(), fresh_key()));
    }
    let before = wal(house).await;
    for confirm in confirms {
        let start = Instant::now();
        let decision = house.keeper.bookings().confirm(&house.client, &confirm).await.expect("a decision");
        note(times, start);
        assert_eq!(decision.outcome, Outcome::Confirmed);
    }
    wal(house).await - before
}

/// In microseconds.
#[allow(clippy::cast_precision_loss, reason = "nanoseconds of one call")]
pub fn quantile(times: &Histogram<u64>, q: f64) -> f64 {
    times.value_at_quantile(q) as f64 / 1_000.0
}

pub fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits")
}

pub fn note(times: &mut Histogram<u64>, start: Instant) {
    // Recording, unlike recording with saturation, makes room for larger values.
    times.record(u64::try_from(start.elapsed().as_nanos()).expect("a time")).expect("room");
}

async fn wal(house: &House) -> i64 {
    let sql = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint";
    house.client.query_one(sql, &[]).await.expect("a position").get(0)
}

/// Of the tables that grow; when only checking, of the one that is large enough for an index to pay. Before version 15 a
/// session cannot be made to report: there the check sees nothing.
async fn sequential_scans(house: &House) -> i64 {
    if house.db.server().version_num() < 150_000 {
        return 0;
    }
    let all = ["allocations", "bookings", "confirmations", "holds"];
    let tables = if only_checking() { &all[..1] } else { &all[..] };
    house.client.batch_execute("SELECT pg_stat_force_next_flush()").await.expect("a report");
    let sql = "SELECT sum(seq_scan)::bigint FROM pg_stat_user_tables
                WHERE schemaname = 'slotkeeper' AND relname = ANY($1::text[])";
    house.client.query_one(sql, &[&tables]).await.expect("statistics").get(0)
}
