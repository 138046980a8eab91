//! The column that marks quarantined rows.

use tokio_postgres::{Client, IsolationLevel};

use super::clearing::begin;
use super::guard::Guard;
use super::pace::Pace;
use super::table::TableInfo;
use crate::migrate::MigrateError;

/// Adds it where it is missing. A constant default is kept in the catalog, so no row is touched; the table is locked for
/// a moment, for which no attempt waits longer than the pace allows.
pub(crate) async fn ensure(client: &mut Client, guard: &Guard, pace: &Pace) -> Result<bool, MigrateError> {
    let mut attempt = 1;
    loop {
        match add(client, guard, pace).await {
            Err(error) if error.is_transient() && attempt < pace.attempts => attempt += 1,
            Err(MigrateError::Contended { .. }) => {
                return Err(MigrateError::Contended { attempts: attempt });
            }
            done => return done,
        }
        tokio::time::sleep(pace.pause).await;
    }
}

async fn add(client: &mut Client, guard: &Guard, pace: &Pace) -> Result<bool, MigrateError> {
    let tx = begin(client, pace, IsolationLevel::ReadCommitted).await?;
    let table = TableInfo::existing(&tx, &guard.table).await?;
    if let Some(column) = table.column(&guard.shadow) {
        return if column.ty == "boolean" {
            Ok(false)
        } else {
            let (table, column) = (table.name.to_string(), column.name.to_string());
            Err(MigrateError::ShadowColumn { table, column })
        };
    }
    let (name, column) = (guard.table.quoted(), guard.shadow.quoted());
    let sql = format!("ALTER TABLE {name} ADD COLUMN {column} boolean NOT NULL DEFAULT false");
    tx.batch_execute(&sql).await.map_err(MigrateError::from_driver)?;
    tx.commit().await.map_err(MigrateError::from_driver)?;
    Ok(true)
}
