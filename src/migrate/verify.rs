//! Compares the definitions in a database with those this release was built with.
//!
//! Names prove little: a constraint that was made deferrable or not valid, or an index in the place of a constraint,
//! keeps its name and no longer keeps its promise. So the catalog's own text of every definition is compared with
//! `catalog.txt`, which the same query wrote on a freshly migrated database. The text is the same on versions 14 to 18.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, IsolationLevel, Row, Transaction};

use super::drift::{self, Definitions};
use super::{Drift, DriftKind, MigrateError, Migrator, Status, Verification, history, notes, step};
use crate::constraint::Constraint;

const QUERY: &str = include_str!("catalog.sql");
pub(super) const EXPECTED: &str = include_str!("catalog.txt");

/// Definitions are printed with these settings in mind: qualified names, and literals in one style.
pub(crate) const PRINTED: &str = "SET LOCAL search_path = pg_catalog, pg_temp;
    SET LOCAL TimeZone = 'UTC';
    SET LOCAL DateStyle = 'ISO, MDY';
    SET LOCAL IntervalStyle = 'postgres';
    SET LOCAL extra_float_digits = 1;
    SET LOCAL quote_all_identifiers = off;
    SET LOCAL standard_conforming_strings = on;";

impl Migrator {
    /// Compares tables, columns, constraints, indexes, triggers and rules with those of this release.
    ///
    /// It reads only the catalog, which every role may, and the history where the role may. What the host decides is
    /// not compared: comments, tablespaces, storage parameters other than `fillfactor`. Row level security, owners and,
    /// with [`for_role`](Self::for_role), privileges are [noted](Verification::notes).
    ///
    /// # Errors
    /// [`UnsupportedServer`](MigrateError::UnsupportedServer), or what the connection or the server reports. A
    /// difference is not an error: see [`Verification::is_ok`].
    ///
    /// # Transactions
    /// One, read only, rolled back.
    pub async fn verify(&self, client: &mut Client) -> Result<Verification, MigrateError> {
        let builder = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
        let tx = builder.read_only(true).start().await.map_err(MigrateError::from_driver)?;
        step::check_server(&tx).await?;
        tx.batch_execute(PRINTED).await.map_err(MigrateError::from_driver)?;
        let rows = rows(self, &tx).await.map_err(MigrateError::from_driver)?;
        let found = definitions(rows.iter().map(String::as_str));
        let history_read = may_read_history(self, &tx).await.map_err(MigrateError::from_driver)?;
        let mut drift = if history_read {
            history_drift(history::status(history::read(&tx, &self.schema).await?, self.migrations))
        } else {
            Vec::new()
        };
        drift.extend(drift::compare(&expected(), &found));
        let notes = notes::read(self, &tx).await?;
        tx.rollback().await.map_err(MigrateError::from_driver)?;
        Ok(Verification { drift, notes, history_read })
    }
}

/// The tables of this release, without the schema.
pub(super) fn tables() -> Vec<&'static str> {
    let mut tables: Vec<&str> = Constraint::ALL.iter().map(|constraint| constraint.table()).collect();
    tables.dedup();
    tables
}

/// Kind, table, name and definition of every object, separated by tabs.
async fn rows(migrator: &Migrator, tx: &Transaction<'_>) -> Result<Vec<String>, tokio_postgres::Error> {
    let schema = migrator.schema.as_str();
    let rows = tx.query_typed(QUERY, &[(&schema, Type::NAME), (&tables(), Type::TEXT_ARRAY)]).await?;
    let line = |row: &Row| {
        let fields: [&str; 4] = [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?];
        Ok(fields.join("\t"))
    };
    rows.iter().map(line).collect()
}

/// What a database of this release has.
pub(super) fn expected() -> Definitions {
    definitions(EXPECTED.lines())
}

fn definitions<'a>(lines: impl Iterator<Item = &'a str>) -> Definitions {
    let object = |line: &str| {
        let mut fields = line.splitn(4, '\t');
        let mut field = || fields.next().unwrap_or_default().to_owned();
        let (kind, table, name, definition) = (field(), field(), field(), field());
        let dot = if name.is_empty() { "" } else { "." };
        (format!("{kind} {table}{dot}{name}"), definition)
    };
    lines.map(object).collect()
}

/// Without a history table there is nothing to be denied.
async fn may_read_history(migrator: &Migrator, tx: &Transaction<'_>) -> Result<bool, tokio_postgres::Error> {
    let sql = "SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
        FROM pg_namespace AS n LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'migrations'
        WHERE n.nspname = $1";
    let schema = migrator.schema.as_str();
    let row = tx.query_typed_opt(sql, &[(&schema, Type::NAME)]).await?;
    row.map_or(Ok(true), |row| row.try_get::<_, Option<bool>>(0).map(|may| may.unwrap_or(true)))
}

fn history_drift(status: Status) -> Vec<Drift> {
    let kind = |known: bool, pending: bool, changed: bool| match (known, pending, changed) {
        (false, _, _) => Some(DriftKind::Extra),
        (true, true, _) => Some(DriftKind::Missing),
        (true, false, true) => Some(DriftKind::Changed {
            expected: "the text of this release".into(),
            found: "another text".into(),
        }),
        (true, false, false) => None,
    };
    let drift = status.migrations.into_iter().filter_map(|m| {
        let kind = kind(m.known, m.applied_at.is_none(), m.changed)?;
        Some(Drift { kind, object: format!("migration {}", m.version) })
    });
    drift.collect()
}
