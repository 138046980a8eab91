//! One run at a time: of the migrator a schema, of a rollout a table.
//!
//! The lock is an advisory one, and it is polled, never waited for: a session that waits inside the server holds a
//! snapshot, and an index built concurrently by the holder would wait for that snapshot without end.
//!
//! A step of the migrator is one transaction, and the lock ends with it. A rollout takes several, so its lock is the
//! session's: [`while_locked`](RunLock::while_locked) releases it on every path. A future that is dropped leaves the
//! session's lock with its connection. That is wanted: the server may still be building, and no other run should begin.
//! Closing the connection releases it, and so does the next call on the same connection.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, OpsError, TableName};
use crate::schema::SchemaName;

const POLL: Duration = Duration::from_millis(50);

/// What one run at a time works on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RunLock<'a> {
    Schema(&'a SchemaName),
    Table(&'a TableName),
}

impl RunLock<'_> {
    /// Runs `work` with the lock held, and releases the lock whether or not it succeeded.
    pub(crate) async fn while_locked<T>(
        self,
        client: &mut Client,
        patience: Duration,
        work: impl AsyncFnOnce(&mut Client) -> Result<T, OpsError>,
    ) -> Result<T, OpsError> {
        self.for_session(client, patience).await?;
        let done = work(client).await;
        self.release(client, done).await
    }

    /// Takes the lock for the session. A lock that a dropped call left in this session is taken over, not taken twice.
    pub(crate) async fn for_session(self, client: &Client, patience: Duration) -> Result<(), OpsError> {
        let sql =
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objsubid = 1
                AND pid = pg_catalog.pg_backend_pid() AND granted
                AND (classid::pg_catalog.int8 << 32 | objid::pg_catalog.int8) = $1)
            OR pg_catalog.pg_try_advisory_lock($1)";
        self.poll(client, sql, patience).await
    }

    /// Releases the lock and returns what the work came to: its error says more than one of the release, and a closed
    /// connection has released the lock. Callers whose futures must be `Send` use this and not
    /// [`while_locked`](Self::while_locked): a future that borrows through an async closure cannot be spawned.
    pub(crate) async fn release<T>(self, client: &Client, done: Result<T, OpsError>) -> Result<T, OpsError> {
        let sql = "SELECT pg_catalog.pg_advisory_unlock($1)";
        let released = client.query_typed_one(sql, &[(&self.key(), Type::INT8)]).await;
        let done = done?;
        released.map(|_| done).driver()
    }

    /// Takes the lock for the rest of the transaction.
    pub(crate) async fn for_transaction(
        self,
        tx: &Transaction<'_>,
        patience: Duration,
    ) -> Result<(), OpsError> {
        self.poll(tx, "SELECT pg_catalog.pg_try_advisory_xact_lock($1)", patience).await
    }

    /// `sql` says whether it has taken lock `$1`.
    async fn poll(self, client: &Client, sql: &str, patience: Duration) -> Result<(), OpsError> {
        let key = self.key();
        let started = Instant::now();
        loop {
            let taken = client.query_typed_one(sql, &[(&key, Type::INT8)]).await;
            if taken.driver()?.get(0) {
                return Ok(());
            }
            let waited = started.elapsed();
            if waited >= patience {
                return Err(self.timed_out(waited));
            }
            tokio::time::sleep(POLL.min(patience - waited)).await;
        }
    }

    fn timed_out(self, waited: Duration) -> OpsError {
        match self {
            Self::Schema(_) => OpsError::Locked { waited },
            Self::Table(table) => OpsError::RolloutRunning { table: table.to_string(), waited },
        }
    }

    /// Advisory locks belong to a database, so the name is enough. The NUL keeps `a.b` + `c` from `a` + `b.c`.
    fn key(self) -> i64 {
        let name = match self {
            Self::Schema(schema) => format!("slotkeeper:{schema}"),
            Self::Table(table) => format!("slotkeeper rollout:{}\0{}", table.schema, table.name),
        };
        let digest: [u8; 32] = Sha256::digest(name).into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        i64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn keys_are_fixed_and_differ_by_schema_and_table() {
        let schema = |name: &str| RunLock::Schema(&SchemaName::new(name).unwrap()).key();
        // Releases that run side by side must meet in the same lock.
        assert_eq!(schema("slotkeeper"), -512_708_431_469_140_794);
        assert_ne!(schema("other"), schema("slotkeeper"));
        let table = |schema: &str, table: &str| RunLock::Table(&TableName::new(schema, table).unwrap()).key();
        assert_eq!(table("app", "visits"), table("app", "visits"));
        assert_ne!(table("app", "visits"), table("visits", "app"));
        assert_ne!(table("a.b", "c"), table("a", "b.c"));
    }
}
