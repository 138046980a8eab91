//! What is in the tables, so that before and after can be compared.

use crate::support::House;
use std::time::{Duration, Instant};

/// A digest over everything but the records of decisions, and how many of those there are.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct State {
    pub rest: String,
    pub records: i64,
}

impl State {
    pub async fn read(house: &House) -> Self {
        let tables = ["resources", "holds", "allocations", "bookings", "booking_history", "outbox"];
        let part = |table| {
            format!(
                "coalesce((SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM slotkeeper.{table} t), '-')"
            )
        };
        let rest = tables.map(part).join(" || ");
        let query = format!("SELECT {rest}, (SELECT count(*) FROM slotkeeper.confirmations)");
        let row = house.pool.get().await.unwrap().query_one(&query, &[]).await.unwrap();
        Self { rest: row.get(0), records: row.get(1) }
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
