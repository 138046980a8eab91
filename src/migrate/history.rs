//! The table `migrations`: what was applied to this database, and when.

use chrono::{DateTime, Utc};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::migrate::Migration;
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, OpsError};
use crate::schema::SchemaName;

const CREATE: &str = "CREATE TABLE slotkeeper.migrations (
    version     integer     NOT NULL,
    name        text        NOT NULL,
    checksum    text        NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT statement_timestamp(),
    duration_ms bigint      NOT NULL,
    CONSTRAINT migrations_pkey PRIMARY KEY (version)
)";

/// What a database knows about migrations, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Every migration of this release, and those in the history that it does not know.
    pub migrations: Vec<MigrationStatus>,
}

/// One line of a [`Status`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationStatus {
    /// Its number.
    pub version: i32,
    /// Its name.
    pub name: String,
    /// When it was applied, by the database's clock; `None` if it is pending.
    pub applied_at: Option<DateTime<Utc>>,
    /// Whether this release has it. If not, a newer release migrated this database.
    pub known: bool,
    /// Whether it was applied with another text than this release has.
    pub changed: bool,
}

impl Status {
    /// The migrations that [`Migrator::up`](crate::migrate::Migrator::up) would apply.
    pub fn pending(&self) -> impl Iterator<Item = &MigrationStatus> {
        self.migrations.iter().filter(|m| m.applied_at.is_none())
    }

    /// Whether the database has exactly the migrations of this release, with the same texts.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.migrations.iter().all(|m| m.known && !m.changed && m.applied_at.is_some())
    }
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) version: i32,
    name: String,
    checksum: String,
    applied_at: DateTime<Utc>,
}

/// The history, oldest first; empty if the table does not exist.
pub(super) async fn read(client: &Client, schema: &SchemaName) -> Result<Vec<Row>, OpsError> {
    if !exists(client, schema).await? {
        return Ok(Vec::new());
    }
    // A checksum emptied by hand means another text, not an error.
    let sql = schema.qualify(
        "SELECT version, coalesce(name, ''), coalesce(checksum, ''), applied_at FROM slotkeeper.migrations ORDER BY version",
    );
    let rows = client.query_typed(&sql, &[]).await.driver()?;
    let row = |row: &tokio_postgres::Row| {
        Ok(Row {
            version: row.try_get(0)?,
            name: row.try_get(1)?,
            checksum: row.try_get(2)?,
            applied_at: row.try_get(3)?,
        })
    };
    rows.iter().map(row).collect::<Result<_, _>>().driver()
}

async fn exists(client: &Client, schema: &SchemaName) -> Result<bool, OpsError> {
    let table = format!("\"{schema}\".migrations");
    let sql = "SELECT pg_catalog.to_regclass($1) IS NOT NULL";
    let row = client.query_typed_one(sql, &[(&table, Type::TEXT)]).await;
    row.and_then(|row| row.try_get(0)).driver()
}

/// Creates the table where it is missing. Only under the lock.
pub(super) async fn ensure(tx: &Transaction<'_>, schema: &SchemaName) -> Result<(), OpsError> {
    if exists(tx, schema).await? {
        return Ok(());
    }
    tx.batch_execute(&schema.qualify(CREATE)).await.driver()
}

pub(super) async fn insert(
    tx: &Transaction<'_>,
    schema: &SchemaName,
    migration: &Migration,
    duration_ms: i64,
) -> Result<(), OpsError> {
    let sql = schema.qualify(
        "INSERT INTO slotkeeper.migrations (version, name, checksum, duration_ms) VALUES ($1, $2, $3, $4)",
    );
    tx.query_typed(
        &sql,
        &[
            (&migration.version, Type::INT4),
            (&migration.name, Type::TEXT),
            (&migration.checksum(), Type::TEXT),
            (&duration_ms, Type::INT8),
        ],
    )
    .await
    .driver()?;
    Ok(())
}

pub(super) async fn delete(tx: &Transaction<'_>, schema: &SchemaName, version: i32) -> Result<(), OpsError> {
    let sql = schema.qualify("DELETE FROM slotkeeper.migrations WHERE version = $1");
    tx.query_typed(&sql, &[(&version, Type::INT4)]).await.driver()?;
    Ok(())
}

/// How many migrations of the list are applied, if the history is one this release may continue.
pub(super) fn applied(history: &[Row], list: &[Migration]) -> Result<usize, OpsError> {
    let known = list.last().map_or(0, |migration| migration.version);
    if let Some(row) = history.iter().rev().find(|row| list.iter().all(|m| m.version != row.version)) {
        return Err(OpsError::NewerSchema { found: row.version, known });
    }
    for (migration, row) in list.iter().zip(history) {
        if migration.version != row.version {
            return Err(OpsError::HistoryGap { version: migration.version });
        }
        if migration.checksum() != row.checksum {
            return Err(OpsError::ChecksumChanged { version: migration.version });
        }
    }
    Ok(history.len())
}

/// The list and the history side by side.
pub(super) fn status(history: Vec<Row>, list: &[Migration]) -> Status {
    let own = list.iter().map(|migration| {
        let row = history.iter().find(|row| row.version == migration.version);
        MigrationStatus {
            version: migration.version,
            name: migration.name.to_owned(),
            applied_at: row.map(|row| row.applied_at),
            known: true,
            changed: row.is_some_and(|row| row.checksum != migration.checksum()),
        }
    });
    let mut migrations: Vec<_> = own.collect();
    let unknown = history.into_iter().filter(|row| list.iter().all(|m| m.version != row.version));
    migrations.extend(unknown.map(|row| MigrationStatus {
        version: row.version,
        name: row.name,
        applied_at: Some(row.applied_at),
        known: false,
        changed: false,
    }));
    migrations.sort_by_key(|migration| migration.version);
    Status { migrations }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migration(version: i32) -> Migration {
        Migration { version, name: "x", up: "up", down: "down" }
    }

    fn row(version: i32) -> Row {
        let Migration { name, .. } = migration(version);
        let checksum = migration(version).checksum();
        Row { version, name: name.into(), checksum, applied_at: DateTime::UNIX_EPOCH }
    }

    #[test]
    fn a_history_is_continued_only_if_it_is_the_beginning_of_the_list() {
        let list = [migration(1), migration(2), migration(3)];
        assert_eq!(applied(&[], &list), Ok(0));
        assert_eq!(applied(&[row(1), row(2)], &list), Ok(2));
        assert_eq!(applied(&[row(1), row(3)], &list), Err(OpsError::HistoryGap { version: 2 }));
        assert_eq!(applied(&[row(2)], &list), Err(OpsError::HistoryGap { version: 1 }));
        let newer = applied(&[row(1), row(2), row(3), row(4), row(7)], &list);
        assert_eq!(newer, Err(OpsError::NewerSchema { found: 7, known: 3 }));
        let edited = Row { checksum: "0".into(), ..row(1) };
        assert_eq!(applied(&[edited, row(2)], &list), Err(OpsError::ChecksumChanged { version: 1 }));
    }

    #[test]
    fn status_shows_pending_changed_and_unknown_migrations() {
        let edited = Row { checksum: "0".into(), ..row(1) };
        let status = status(vec![edited, row(9)], &[migration(1), migration(2)]);
        let lines: Vec<_> = status.migrations.iter().map(|m| (m.version, m.known, m.changed)).collect();
        assert_eq!(lines, [(1, true, true), (2, true, false), (9, false, false)]);
        assert_eq!(status.pending().map(|m| m.version).collect::<Vec<_>>(), [2]);
        assert!(!status.is_current());
    }
}
