//! What `down` would destroy.

use std::fmt;

use serde::Serialize;
use tokio_postgres::Client;

use crate::migrate::{Migrator, history};
use crate::ops::transaction::ALL_ROWS;
use crate::ops::{DriverResult, OpsError, session};

/// What [`Migrator::down`] would destroy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Losses {
    /// The migration that would be taken back; `None` if none is applied.
    pub version: Option<i32>,
    /// The tables it would drop, in its order.
    pub tables: Vec<Loss>,
}

/// One table that would be dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Loss {
    /// The table, without the schema.
    pub table: &'static str,
    /// Its rows, counted.
    pub rows: u64,
    /// Its size with indexes.
    pub bytes: u64,
}

impl Losses {
    /// All rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

impl Migrator {
    /// Counts what [`down`](Self::down) would destroy. It reads each table once.
    ///
    /// # Errors
    /// As [`up`](Self::up) for a history it cannot continue; [`PermissionDenied`](OpsError::PermissionDenied); or
    /// what the connection or the server reports.
    ///
    /// # Transactions
    /// One, read only, rolled back: by the time of the step there may be more.
    pub async fn losses(&self, client: &mut Client) -> Result<Losses, OpsError> {
        let tx = session::reading(client, ALL_ROWS).await?;
        let applied = history::applied(&history::read(&tx, &self.schema).await?, self.migrations)?;
        let Some(last) = self.migrations[..applied].last() else {
            return Ok(Losses { version: None, tables: Vec::new() });
        };
        let mut tables = Vec::new();
        for table in last.tables_dropped() {
            let name = format!("\"{}\".\"{table}\"", self.schema);
            let sql = format!("SELECT count(*), pg_total_relation_size('{name}') FROM {name}");
            let row = tx.query_typed_one(&sql, &[]).await.driver()?;
            let number = |at: usize| row.get::<_, i64>(at).unsigned_abs();
            tables.push(Loss { table, rows: number(0), bytes: number(1) });
        }
        Ok(Losses { version: Some(last.version), tables })
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(version) = self.version else { return writeln!(f, "nothing is applied") };
        writeln!(f, "taking migration {version} back would destroy {} rows", self.rows())?;
        self.tables.iter().try_for_each(|loss| {
            writeln!(f, "  table {}: {} rows, {} bytes", loss.table, loss.rows, loss.bytes)
        })
    }
}
