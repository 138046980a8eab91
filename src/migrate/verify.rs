//! Compares the definitions in a database with those this release was built with.
//!
//! Names prove little: a constraint that was made deferrable or not valid, or an index in the place of a constraint,
//! keeps its name and no longer keeps its promise. So the catalog's own text of every definition is compared with
//! `catalog.txt`, which the same query wrote on a freshly migrated database. The text is the same on versions 14 to 18.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use std::fmt;

use serde::Serialize;

use crate::migrate::catalog::{CATALOG, Definitions, ObjectId};
use crate::migrate::notes::Note;
use crate::migrate::{Drift, DriftKind, Migrator, Status, drift, history, notes};
use crate::ops::session;
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, OpsError};

const QUERY: &str = include_str!("catalog.sql");

/// What [`Migrator::verify`](crate::migrate::Migrator::verify) found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[must_use]
pub struct Verification {
    /// Every difference, in the order of the catalog.
    pub drift: Vec<Drift>,
    /// What the host decides and an operator may want to know. None of it fails.
    pub notes: Vec<Note>,
    /// Whether the role could read the history. If not, only the definitions were compared.
    pub history_read: bool,
}

impl Verification {
    /// Whether the database keeps every promise of the schema: it may have more than it should, but nothing that
    /// [fails](Drift::fails).
    #[must_use]
    pub fn is_ok(&self) -> bool {
        !self.drift.iter().any(Drift::fails)
    }

    /// Whether the role of [`Migrator::for_role`] has the privileges its duties need and no others: none of the notes is
    /// about it.
    #[must_use]
    pub fn role_fits(&self) -> bool {
        !self.notes.iter().any(Note::is_of_role)
    }
}

impl Migrator {
    /// Compares tables, columns, constraints, indexes, triggers and rules with those of this release.
    ///
    /// It reads only the catalog, which every role may, and the history where the role may. What the host decides is
    /// not compared: comments, tablespaces, storage parameters other than `fillfactor`. Row level security, owners and,
    /// with [`for_role`](Self::for_role), privileges are [noted](Verification::notes).
    ///
    /// # Errors
    /// [`UnsupportedServer`](OpsError::UnsupportedServer), or what the connection or the server reports. A
    /// difference is not an error: see [`Verification::is_ok`].
    ///
    /// # Transactions
    /// One, read only, rolled back.
    pub async fn verify(&self, client: &mut Client) -> Result<Verification, OpsError> {
        let tx = session::reading(client, "").await?;
        let found = found(self, &tx).await.driver()?;
        let history_read = may_read_history(self, &tx).await.driver()?;
        let mut drift = if history_read {
            history_drift(history::status(history::read(&tx, &self.schema).await?, self.migrations))
        } else {
            Vec::new()
        };
        drift.extend(drift::compare(&CATALOG.definitions(), &found));
        let notes = notes::read(self, &tx).await?;
        tx.rollback().await.driver()?;
        Ok(Verification { drift, notes, history_read })
    }
}

/// The definitions of our tables in this database.
async fn found(migrator: &Migrator, tx: &Transaction<'_>) -> Result<Definitions, tokio_postgres::Error> {
    let params = [(&migrator.schema.as_str() as _, Type::NAME), (&CATALOG.tables() as _, Type::TEXT_ARRAY)];
    let mut found = Definitions::new();
    for row in tx.query_typed(QUERY, &params).await? {
        let id = ObjectId::new(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        found.insert(id, row.try_get(3)?);
    }
    Ok(found)
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
        Some(Drift::of_migration(m.version, kind))
    });
    drift.collect()
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failing = self.drift.iter().filter(|drift| drift.fails()).count();
        writeln!(f, "{} differences, {failing} of them break a promise", self.drift.len())?;
        self.drift.iter().try_for_each(|drift| writeln!(f, "{drift}"))?;
        self.notes.iter().try_for_each(|note| writeln!(f, "note: {note}"))
    }
}
