//! What is in the tables, so that before and after can be compared.

use crate::support::House;
use std::time::{Duration, Instant};

/// The records of decisions last.
const TABLES: [&str; 9] = [
    "allocations",
    "holds",
    "bookings",
    "outbox",
    "resources",
    "availability_cache",
    "offered_slots",
    "allocations_archive",
    "confirmations",
];
const REST: usize = TABLES.len() - 1;

/// Digests over the records of decisions and over everything else, and how many records there are.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct State {
    pub rest: String,
    pub records: i64,
    digest: String,
}

impl State {
    pub async fn read(house: &House) -> Self {
        let part = |table: &&str| {
            format!(
                "coalesce((SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM slotkeeper.{table} t), '-')"
            )
        };
        let (rest, records) =
            (TABLES[..REST].iter().map(part).collect::<Vec<_>>().join(" || "), part(&TABLES[REST]));
        let query = format!("SELECT {rest}, (SELECT count(*) FROM slotkeeper.confirmations), {records}");
        let row = house.pool.get().await.unwrap().query_one(&query, &[]).await.unwrap();
        Self { rest: row.get(0), records: row.get(1), digest: row.get(2) }
    }
}

/// A copy of every table to start again from: cheaper than another stage for every write.
pub struct Saved<'a>(&'a House);

impl<'a> Saved<'a> {
    pub async fn of(house: &'a House) -> Self {
        let copies = TABLES.map(|table| format!("CREATE TABLE saved.{table} AS TABLE slotkeeper.{table}"));
        house.sql(&format!("CREATE SCHEMA saved; {}", copies.join(";"))).await;
        Self(house)
    }

    pub async fn restore(&self) {
        let back = |t| format!("INSERT INTO slotkeeper.{t} SELECT * FROM saved.{t}");
        let (emptied, filled) =
            (TABLES.map(|t| format!("DELETE FROM slotkeeper.{t}")), ["resources"].map(back));
        let rest = TABLES.into_iter().filter(|table| *table != "resources").map(back).collect::<Vec<_>>();
        let batch = format!("BEGIN;{};{};{};COMMIT", emptied.join(";"), filled[0], rest.join(";"));
        self.0.pool.get().await.unwrap().batch_execute(&batch).await.unwrap();
    }
}

/// Until somebody in this database waits for a lock.
pub async fn somebody_waits(house: &House) {
    let client = house.pool.get().await.unwrap();
    let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let start = Instant::now();
    while client.query_one(query, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        assert!(start.elapsed() < Duration::from_secs(10), "nobody waits");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A table of the host's own.
pub const VISITS: &str = "CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY)";

/// The host's own write, in the same transaction.
pub async fn visit(tx: &tokio_postgres::Transaction<'_>) {
    tx.execute("INSERT INTO visits DEFAULT VALUES", &[]).await.expect("the transaction is usable");
}

pub async fn visits(house: &House) -> i64 {
    let client = house.pool.get().await.unwrap();
    client.query_one("SELECT count(*) FROM visits", &[]).await.unwrap().get(0)
}
