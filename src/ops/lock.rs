//! One rollout a table at a time.
//!
//! The lock is an advisory one, named after the table, and it is polled, never waited for: a session that waits inside
//! the server holds a snapshot, and an index built concurrently by the holder would wait for that snapshot for ever.
//!
//! Steps are outside of a transaction, or take several, so it is the session's: [`while_locked`] gives it back on every
//! path.
//!
//! A future that is dropped leaves the session's lock with its connection. That is wanted: the server may still be
//! building what it was told to, and nobody else should begin. Closing the connection gives it back, and so does the
//! next call on the same connection.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient};

use crate::ops::{DriverResult, MigrateError, TableName};

const POLL: Duration = Duration::from_millis(50);

/// Does something with the lock held, and gives it back whatever came of it.
pub(crate) async fn while_locked<T>(
    client: &mut Client,
    table: &TableName,
    patience: Duration,
    work: impl AsyncFnOnce(&mut Client) -> Result<T, MigrateError>,
) -> Result<T, MigrateError> {
    session(client, table, patience).await?;
    let done = work(client).await;
    let released = release(client, table).await;
    // What went wrong first says more; a closed connection has given the lock back.
    let done = done?;
    released.map(|()| done)
}

/// Takes the lock for the session. One that a dropped call left in this session is taken over, not counted up.
pub(crate) async fn session(
    client: &Client,
    table: &TableName,
    patience: Duration,
) -> Result<(), MigrateError> {
    let sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objsubid = 1
            AND pid = pg_catalog.pg_backend_pid() AND granted
            AND (classid::pg_catalog.int8 << 32 | objid::pg_catalog.int8) = $1)
        OR pg_catalog.pg_try_advisory_lock($1)";
    poll(client, sql, table, patience).await
}

pub(crate) async fn release(client: &Client, table: &TableName) -> Result<(), MigrateError> {
    let sql = "SELECT pg_catalog.pg_advisory_unlock($1)";
    let released = client.query_typed_one(sql, &[(&key(table), Type::INT8)]).await;
    released.map(|_| ()).driver()
}

/// `sql` says whether it has taken lock `$1`. No async closure: a future that borrows through one cannot be spawned.
async fn poll(
    client: &impl GenericClient,
    sql: &str,
    table: &TableName,
    patience: Duration,
) -> Result<(), MigrateError> {
    let key = key(table);
    let started = Instant::now();
    loop {
        let taken = client.query_typed_one(sql, &[(&key, Type::INT8)]).await;
        if taken.driver()?.get(0) {
            return Ok(());
        }
        let waited = started.elapsed();
        if waited >= patience {
            return Err(MigrateError::RolloutRunning { table: table.to_string(), waited });
        }
        tokio::time::sleep(POLL.min(patience - waited)).await;
    }
}

/// Advisory locks belong to a database, so the table's name is enough. The NUL keeps `a.b` + `c` from `a` + `b.c`.
fn key(table: &TableName) -> i64 {
    let name = format!("slotkeeper rollout:{}\0{}", table.schema, table.name);
    let digest: [u8; 32] = Sha256::digest(name).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn keys_differ_by_schema_and_table() {
        let key = |schema: &str, table: &str| key(&TableName::new(schema, table).unwrap());
        assert_eq!(key("app", "visits"), key("app", "visits"));
        assert_ne!(key("app", "visits"), key("visits", "app"));
        assert_ne!(key("a.b", "c"), key("a", "b.c"));
    }
}
