//! How the server prints a definition.
//!
//! `a <> 'b'` comes back as `((a <> 'b'::text))`, so definitions can only be compared as the server prints them. It
//! prints what it was given: the same objects are made on an empty temporary copy of the table, in a transaction that
//! is rolled back. An expression that is not valid for this table is found on the way, before anything is changed.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ops::object::{Ddl, Found, ObjectKind, Printed};
use crate::ops::server;
use crate::ops::transaction::{PRINTED, Transaction};
use crate::ops::{DriverResult, Ident, OpsError, Pace, TableName, session};

/// Each object as the server prints it. All are of one table. Expressions are read with the session's search path, as
/// they are when the objects are built. `shadow` is a column the table may not have yet.
pub(crate) async fn printed(
    client: &mut Client,
    table: &TableName,
    ddls: &[Ddl],
    shadow: Option<&Ident>,
    pace: &Pace,
) -> Result<Vec<Printed>, OpsError> {
    let tx = session::begin(client, pace.lock_timeout).await?;
    let printed = on_copy(&tx, table, ddls, shadow).await;
    tx.rollback().await.driver()?;
    printed
}

/// As [`printed`], in a database that lacks the extension: it is created first, and rolled back too.
pub(crate) async fn with_extension(
    client: &mut Client,
    table: &TableName,
    ddls: &[Ddl],
    shadow: Option<&Ident>,
    pace: &Pace,
) -> Result<Vec<Printed>, OpsError> {
    let tx = session::begin(client, pace.lock_timeout).await?;
    create_extension(&tx).await?;
    let printed = on_copy(&tx, table, ddls, shadow).await;
    tx.rollback().await.driver()?;
    printed
}

/// Creates `btree_gist` in a scratch schema; the caller rolls back.
pub(crate) async fn create_extension(tx: &Transaction<'_>) -> Result<(), OpsError> {
    let sql = "CREATE SCHEMA slotkeeper_tried; CREATE EXTENSION btree_gist SCHEMA slotkeeper_tried";
    tx.batch_execute(sql).await.map_err(server::extension_error)
}

/// As [`printed`], in a transaction that the caller rolls back.
pub(crate) async fn on_copy(
    tx: &Transaction<'_>,
    table: &TableName,
    ddls: &[Ddl],
    shadow: Option<&Ident>,
) -> Result<Vec<Printed>, OpsError> {
    let copy = copy(tx, table, shadow).await?;
    for ddl in ddls {
        // The copy has the table's own name, so that a condition may say `visits.party`.
        let mut on_copy = ddl.clone();
        on_copy.table.schema = Ident::temporary_schema();
        let sql = match ddl.kind {
            // The copy is temporary, and a temporary table cannot refer to a lasting one.
            ObjectKind::Reference => continue,
            kind if kind.is_constraint() => on_copy.add(&ddl.name),
            _ => on_copy.create_index(&ddl.name, ""),
        };
        tx.batch_execute(&sql).await.map_err(|error| unevaluable(error, ddl))?;
    }
    tx.batch_execute(PRINTED).await.driver()?;
    let mut printed = Vec::with_capacity(ddls.len());
    for ddl in ddls {
        if ddl.kind == ObjectKind::Reference {
            printed.push(Printed { definition: ddl.definition.clone(), index: None });
            continue;
        }
        let found = Found::read(tx, copy, &ddl.name).await?;
        // Cannot be missing: it was created above.
        printed.push(found.printed(ddl.kind).ok_or(OpsError::Database { sqlstate: None })?);
    }
    Ok(printed)
}

async fn copy(tx: &Transaction<'_>, table: &TableName, shadow: Option<&Ident>) -> Result<i64, OpsError> {
    let (name, original) = (table.name.quoted(), table.quoted());
    let mut sql = format!("CREATE TEMP TABLE {name} (LIKE {original})");
    if let Some(shadow) = shadow {
        let shadow = shadow.quoted();
        sql += &format!(
            "; ALTER TABLE pg_temp.{name} ADD COLUMN IF NOT EXISTS {shadow} boolean NOT NULL DEFAULT false"
        );
    }
    tx.batch_execute(&sql).await.map_err(|error| session::missing_table(error, table))?;
    let sql =
        "SELECT oid::int8 FROM pg_catalog.pg_class WHERE relname = $1 AND relnamespace = pg_my_temp_schema()";
    let row = tx.query_typed_one(sql, &[(&table.name.as_str(), Type::NAME)]).await;
    row.map(|row| row.get(0)).driver()
}

/// The error of creating an object on the copy. The copy is empty, so the definition is at fault, not a row.
fn unevaluable(error: tokio_postgres::Error, ddl: &Ddl) -> OpsError {
    match OpsError::from_driver(error) {
        // An operator class for a key of text, uuid … comes with the extension.
        OpsError::Database { sqlstate: Some(code) }
            if code == "42704" && ddl.kind == ObjectKind::Exclusion =>
        {
            OpsError::MissingExtension
        }
        OpsError::Database { sqlstate: Some(sqlstate) } => {
            let (table, rule) = (ddl.table.to_string(), ddl.name.to_string());
            OpsError::Unevaluable { table, rule, sqlstate }
        }
        other => other,
    }
}
