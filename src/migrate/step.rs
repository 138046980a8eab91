//! One step, up or down, in one transaction.

use std::time::Instant;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::migrate::{Applied, Down, Exported, Migration, Migrator, export, history};
use crate::ops::lock::RunLock;
use crate::ops::transaction::{Transaction, WRITING};
use crate::ops::{DriverResult, OpsError, server, session};
use crate::schema::SchemaName;

/// How often a step is tried when other sessions hold locks it needs.
const ATTEMPTS: u32 = 3;

/// Everything is set for this transaction only: the connection goes back as it came. The texts of migrations name
/// whatever is not of the catalog.
const CATALOG_ONLY: &str = "SET LOCAL search_path = pg_catalog, pg_temp;";

#[derive(Clone, Copy, Debug)]
pub(super) enum Direction<'a> {
    Up,
    Down(&'a Down),
}

/// Takes the next step; `None` if there is none.
pub(super) async fn take(
    migrator: &Migrator,
    client: &mut Client,
    direction: Direction<'_>,
) -> Result<Option<Applied>, OpsError> {
    let mut attempts = 1;
    loop {
        match attempt(migrator, client, direction).await {
            Err(error) if error.is_transient() && attempts < ATTEMPTS => attempts += 1,
            Err(OpsError::Contended { .. }) => return Err(OpsError::Contended { attempts }),
            done => return done,
        }
    }
}

async fn attempt(
    migrator: &Migrator,
    client: &mut Client,
    direction: Direction<'_>,
) -> Result<Option<Applied>, OpsError> {
    let tx = begin(migrator, client).await?;
    // A database that has everything needs no lock and no privilege to write.
    if matches!(direction, Direction::Up) && next(migrator, &tx).await?.is_none() {
        return Ok(None);
    }
    RunLock::Schema(&migrator.schema).for_transaction(&tx, migrator.lock_wait).await?;
    let started = Instant::now();
    let (migration, exported) = match direction {
        Direction::Up => {
            prepare(migrator, &tx).await?;
            let Some(migration) = next(migrator, &tx).await? else { return Ok(None) };
            up(migrator, &tx, migration, started).await?;
            (migration, None)
        }
        Direction::Down(options) => {
            let Some(migration) = last(migrator, &tx).await? else { return Ok(None) };
            (migration, down(migrator, &tx, migration, options).await?)
        }
    };
    let duration = started.elapsed();
    tx.commit().await.driver()?;
    // The driver reports success for a commit that the server turned into a rollback.
    let history = history::read(client, &migrator.schema).await?;
    let recorded = history.iter().any(|row| row.version == migration.version);
    if recorded != matches!(direction, Direction::Up) {
        return Err(OpsError::RolledBack { version: migration.version });
    }
    Ok(Some(Applied { version: migration.version, name: migration.name, duration, exported }))
}

async fn begin<'a>(migrator: &Migrator, client: &'a mut Client) -> Result<Transaction<'a>, OpsError> {
    let tx = session::begin_in(client, WRITING, migrator.lock_timeout, CATALOG_ONLY).await?;
    server::expect_supported(&tx).await?;
    Ok(tx)
}

async fn next(migrator: &Migrator, tx: &Transaction<'_>) -> Result<Option<Migration>, OpsError> {
    let history = history::read(tx, &migrator.schema).await?;
    let applied = history::applied(&history, migrator.migrations)?;
    Ok(migrator.migrations.get(applied).copied())
}

async fn last(migrator: &Migrator, tx: &Transaction<'_>) -> Result<Option<Migration>, OpsError> {
    let history = history::read(tx, &migrator.schema).await?;
    let applied = history::applied(&history, migrator.migrations)?;
    Ok(migrator.migrations[..applied].last().copied())
}

/// The schema, the extension and the history table, where they are missing.
async fn prepare(migrator: &Migrator, tx: &Transaction<'_>) -> Result<(), OpsError> {
    let schema = &migrator.schema;
    let sql = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1),
        EXISTS (SELECT FROM pg_extension WHERE extname = 'btree_gist')";
    let row = tx.query_typed_one(sql, &[(&schema.as_str(), Type::TEXT)]).await;
    let row = row.driver()?;
    let (has_schema, has_extension): (bool, bool) = (row.get(0), row.get(1));
    if !has_schema {
        if !migrator.create_schema {
            return Err(OpsError::MissingSchema { schema: schema.clone() });
        }
        let sql = format!("CREATE SCHEMA \"{schema}\"");
        tx.batch_execute(&sql).await.driver()?;
    }
    if !has_extension {
        if !migrator.create_extension {
            return Err(OpsError::MissingExtension);
        }
        server::create_extension(tx, schema.as_str()).await?;
    }
    history::ensure(tx, schema).await
}

async fn up(
    migrator: &Migrator,
    tx: &Transaction<'_>,
    migration: Migration,
    started: Instant,
) -> Result<(), OpsError> {
    let sql = migrator.schema.qualify(migration.up);
    tx.batch_execute(&sql).await.driver()?;
    let millis = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    history::insert(tx, &migrator.schema, &migration, millis).await
}

async fn down(
    migrator: &Migrator,
    tx: &Transaction<'_>,
    migration: Migration,
    options: &Down,
) -> Result<Option<Exported>, OpsError> {
    let schema = &migrator.schema;
    let tables = migration.tables_dropped();
    if !tables.is_empty() {
        let names: Vec<String> = tables.iter().map(|table| format!("\"{schema}\".{table}")).collect();
        let sql = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", names.join(", "));
        tx.batch_execute(&sql).await.driver()?;
    }
    let exported = match &options.export {
        Some(path) => Some(export::write(tx, schema, &tables, path).await?),
        None if options.destroying_data => None,
        None => {
            refuse_rows(tx, schema, &tables).await?;
            None
        }
    };
    let dropped = async {
        tx.batch_execute(&schema.qualify(migration.down)).await.driver()?;
        history::delete(tx, schema, migration.version).await
    };
    if let Err(error) = dropped.await {
        // Nothing is dropped, and the next attempt needs the file's name.
        exported.iter().for_each(|exported| drop(std::fs::remove_file(&exported.path)));
        return Err(error);
    }
    Ok(exported)
}

async fn refuse_rows(
    tx: &Transaction<'_>,
    schema: &SchemaName,
    tables: &[&'static str],
) -> Result<(), OpsError> {
    for &table in tables {
        let sql = format!("SELECT FROM \"{schema}\".{table} LIMIT 1");
        let row = tx.query_typed_opt(&sql, &[]).await.driver()?;
        if row.is_some() {
            return Err(OpsError::DataWouldBeLost { table });
        }
    }
    Ok(())
}
