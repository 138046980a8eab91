//! Seeing that somebody waits, and ending connections, without sleeping for luck.

use crate::support::*;
use std::time::{Duration, Instant};

/// Waits until `many` sessions of this database wait for a lock, and returns their process ids.
pub async fn waiters(h: &House, many: usize) -> Vec<i32> {
    let client = h.pool.get().await.unwrap();
    let query =
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(&format!("{many} sessions wait"), async || {
        let rows = client.query(query, &[]).await.unwrap();
        (rows.len() >= many).then(|| rows.iter().map(|row| row.get(0)).collect())
    })
    .await
}

/// Ends a session from outside.
pub async fn kill(h: &House, pid: i32) {
    let client = h.pool.get().await.unwrap();
    let done: bool = client.query_one("SELECT pg_terminate_backend($1, 5000)", &[&pid]).await.unwrap().get(0);
    assert!(done, "the session ended");
}

/// Asks again and again, for ten seconds at most.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "in ten seconds: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The server process a connection talks to.
pub async fn pid(client: &tokio_postgres::Client) -> i32 {
    client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0)
}
