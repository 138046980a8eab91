//! The rows of dropped tables: written before they go, and brought back into tables that are there again.

use std::path::Path;

use tokio_postgres::Client;

use crate::migrate::{Exported, Migrator};
use crate::ops::artifact::{ArtifactError, Purpose, Reader};
use crate::ops::rows::{export, put_back};
use crate::ops::transaction::Transaction;
use crate::ops::{OpsError, Pace, Restored, TableName};
use crate::schema::SchemaName;

impl Migrator {
    /// Brings back the rows that a [`down`](Self::down) with [`export`](crate::migrate::Down::export) wrote, parents first, with
    /// every stored value. Rows that are there with the same content are left; others are counted and not written over.
    /// Of a file that [`quarantine`](Self::quarantine) or [`dedupe`](Self::dedupe) wrote, takes back what they did.
    ///
    /// # Errors
    /// Before anything is changed: [`Artifact`](OpsError::Artifact) if the file is damaged, cut off, of another
    /// database, schema or shape; [`MissingTable`](OpsError::MissingTable) if the schema is not up.
    /// Later, with some batches done: [`RowRefused`](OpsError::RowRefused) if a constraint refuses a row, and what
    /// the connection or the server reports. The same call goes on from there.
    ///
    /// # Transactions
    /// One for each batch of the pace.
    pub async fn restore(
        &self,
        client: &mut Client,
        path: impl AsRef<Path>,
        pace: &Pace,
    ) -> Result<Restored, OpsError> {
        let mut reader = Reader::open(path.as_ref())?;
        let header = reader.header();
        if header.purpose != Purpose::Export {
            return self.restore_cleaned(client, path.as_ref(), header, pace).await;
        }
        if let Some(other) = header.tables.iter().find(|section| section.schema != self.schema.as_str()) {
            let table = format!("{}.{}", self.schema, other.table);
            return Err(ArtifactError::OtherTable { table }.into());
        }
        put_back(client, &mut reader, path.as_ref(), None, pace).await
    }
}

/// Writes every row of `tables`, which come in the order in which they are dropped, and are locked.
pub(super) async fn write(
    tx: &Transaction<'_>,
    schema: &SchemaName,
    tables: &[&str],
    path: &Path,
) -> Result<Exported, OpsError> {
    let name = |table: &&str| {
        let invalid = |_| OpsError::UnsupportedName { name: (*table).to_owned() };
        TableName::new(schema.as_str(), *table).map_err(invalid)
    };
    // Dropped children first, brought back parents first.
    let tables: Vec<TableName> = tables.iter().rev().map(name).collect::<Result<_, _>>()?;
    let written = export(tx, path, Purpose::Export, &tables).await?;
    Ok(Exported { path: written.path, rows: written.rows, sha256: written.sha256 })
}
