//! Whole tables written to an artifact.

use std::path::Path;

use futures_util::TryStreamExt as _;

use crate::ops::artifact::{Action, ArtifactError, Header, Purpose, Reader, Record, Writer, Written};
use crate::ops::rows::{RowTable, text_form};
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, OpsError, TableName};

/// Writes every row of `tables`, given parents first, as `tx` sees them. The caller's transaction holds whatever lock
/// keeps them from changing; its settings are as before when the call returns without an error.
///
/// # Errors
/// [`Artifact`](OpsError::Artifact) if the file cannot be written; then no file is left.
pub(crate) async fn export(
    tx: &Transaction<'_>,
    path: &Path,
    purpose: Purpose,
    tables: &[TableName],
) -> Result<Written, OpsError> {
    let outside = text_form::enter(tx).await?;
    let mut found = Vec::with_capacity(tables.len());
    for name in tables {
        found.push(RowTable::current(tx, name, None).await?);
    }
    let sections = found.iter().map(|table| table.section.clone()).collect();
    let mut writer = Writer::create(path, Header::new(tx, purpose, None, sections).await?)?;
    for (at, table) in found.iter().enumerate() {
        let mut rows = std::pin::pin!(table.stream(tx).await?);
        while let Some(row) = rows.try_next().await.driver()? {
            let row = row.try_get(0).driver()?;
            let key = table.key_of(&row);
            writer.row(&Record { table: at, action: Action::Remove, cause: None, key, row })?;
        }
    }
    let id = writer.id();
    let written = writer.finish()?;
    // Another export may have taken the same name meanwhile. The tables are about to be dropped, so look once more.
    let reader = Reader::open(path)?;
    if reader.header().id != id || reader.rows() != written.rows {
        return Err(ArtifactError::Exists { path: path.to_owned() }.into());
    }
    text_form::leave(tx, &outside).await?;
    Ok(written)
}
