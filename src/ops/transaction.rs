//! A transaction whose settings come with its `BEGIN`.
//!
//! The driver's own sends `BEGIN` alone. Between that and the first setting the session's
//! `idle_in_transaction_session_timeout` may strike, however short the gap: work on tables in use waits for others, and
//! hosts keep that time-out low. Here both are one message.

use std::ops::Deref;

use futures_util::FutureExt;
use tokio_postgres::Client;

use crate::ops::{DriverResult, OpsError};

/// Each statement sees what was committed before it. May write.
pub(crate) const WRITING: &str = "ISOLATION LEVEL READ COMMITTED, READ WRITE";
/// All statements see one snapshot. May not write.
pub(crate) const READING: &str = "ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// All statements see one snapshot. Whether it may write is the session's setting.
pub(crate) const ONE_SNAPSHOT: &str = "ISOLATION LEVEL REPEATABLE READ";
/// Each statement sees what was committed before it. Whether it may write is the session's setting.
pub(crate) const AS_OF_NOW: &str = "ISOLATION LEVEL READ COMMITTED";

/// Switches the session's time-outs off for this transaction. `transaction_timeout` is known from version 17 on.
pub(crate) const NO_TIMEOUTS: &str = "SET LOCAL statement_timeout = 0;
    SET LOCAL idle_in_transaction_session_timeout = 0;
    SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_settings WHERE name = 'transaction_timeout';";
/// Suppresses notices such as "relation exists, skipping".
pub(crate) const QUIET: &str = "SET LOCAL client_min_messages = warning;";
/// Makes it an error to read a table with a policy that hides rows: hidden rows must not be taken for absent ones.
pub(crate) const ALL_ROWS: &str = "SET LOCAL row_security = off;";

/// The settings under which definitions are printed and compared: qualified names, and literals in one style.
pub(crate) const PRINTED: &str = "SET LOCAL search_path = pg_catalog, pg_temp;
    SET LOCAL TimeZone = 'UTC';
    SET LOCAL DateStyle = 'ISO, MDY';
    SET LOCAL IntervalStyle = 'postgres';
    SET LOCAL extra_float_digits = 1;
    SET LOCAL quote_all_identifiers = off;
    SET LOCAL standard_conforming_strings = on;";

/// A transaction or a savepoint, rolled back when it is dropped.
#[derive(Debug)]
pub(crate) struct Transaction<'a> {
    client: &'a mut Client,
    /// 0 for the transaction itself; a savepoint's place in the stack.
    depth: u32,
    open: bool,
}

impl<'a> Transaction<'a> {
    /// Begins a transaction in `mode`. `settings` are statements for it, each with its semicolon. One round trip.
    pub(crate) async fn begin(
        client: &'a mut Client,
        mode: &str,
        settings: &[&str],
    ) -> Result<Self, OpsError> {
        // Before it is sent: a future dropped while it waits leaves no transaction behind.
        let tx = Self { client, depth: 0, open: true };
        tx.batch_execute(&format!("BEGIN {mode}; {}", settings.concat())).await.driver()?;
        Ok(tx)
    }

    /// A savepoint: after an error in it, the transaction can go on.
    pub(crate) async fn savepoint(&mut self) -> Result<Transaction<'_>, OpsError> {
        let depth = self.depth + 1;
        let savepoint = Transaction { client: &mut *self.client, depth, open: true };
        savepoint.batch_execute(&format!("SAVEPOINT slotkeeper_{depth}")).await.driver()?;
        Ok(savepoint)
    }

    pub(crate) async fn commit(self) -> Result<(), tokio_postgres::Error> {
        let depth = self.depth;
        let sql = if depth == 0 { "COMMIT".into() } else { format!("RELEASE slotkeeper_{depth}") };
        self.end(&sql).await
    }

    pub(crate) async fn rollback(self) -> Result<(), tokio_postgres::Error> {
        let sql = self.undo();
        self.end(&sql).await
    }

    async fn end(mut self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.open = false;
        self.client.batch_execute(sql).await
    }

    fn undo(&self) -> String {
        if self.depth == 0 { "ROLLBACK".into() } else { format!("ROLLBACK TO slotkeeper_{}", self.depth) }
    }
}

impl Deref for Transaction<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.open {
            // The first poll queues the message; the connection sends it before anything that comes later.
            let _ = self.client.batch_execute(&self.undo()).now_or_never();
        }
    }
}

#[cfg(test)]
mod tests;
