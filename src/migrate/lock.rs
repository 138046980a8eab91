//! One migrator at a time, per schema.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use crate::ops::{DriverResult, MigrateError};
use crate::schema::SchemaName;

const POLL: Duration = Duration::from_millis(50);

/// Takes the lock for the rest of the transaction.
///
/// It is polled: a session that waits inside the server holds a snapshot, and an index that is built concurrently
/// under the lock would wait for that snapshot, which is a deadlock.
pub(super) async fn acquire(
    tx: &Transaction<'_>,
    schema: &SchemaName,
    patience: Duration,
) -> Result<(), MigrateError> {
    let key = key(schema);
    let started = Instant::now();
    loop {
        let sql = "SELECT pg_try_advisory_xact_lock($1)";
        let row = tx.query_typed_one(sql, &[(&key, Type::INT8)]).await.driver()?;
        if row.get(0) {
            return Ok(());
        }
        let waited = started.elapsed();
        if waited >= patience {
            return Err(MigrateError::Locked { waited });
        }
        tokio::time::sleep(POLL.min(patience - waited)).await;
    }
}

/// Advisory locks belong to a database, so the schema's name is enough.
fn key(schema: &SchemaName) -> i64 {
    let digest: [u8; 32] = Sha256::digest(format!("slotkeeper:{schema}")).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fixed_and_differ_by_schema() {
        // Releases that run side by side must meet in the same lock.
        assert_eq!(key(&SchemaName::default()), -512_708_431_469_140_794);
        assert_ne!(SchemaName::new("other").map(|other| key(&other)), Ok(key(&SchemaName::default())));
    }
}
