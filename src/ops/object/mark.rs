//! The boolean column that marks rows as quarantined.

use std::time::Instant;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ops::object::{Built, Ddl, Lock, ObjectKind, State, Work, builder, probe};
use crate::ops::session::LockTimes;
use crate::ops::{DriverResult, Ident, OpsError, Pace, TableInfo, TableName, session};

const EXPECTED: &str = "boolean not null default false";

const COLUMN: &str = "SELECT format_type(a.atttypid, a.atttypmod), a.attnotnull,
        coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
        AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped";

/// Whether anything depends on a column but its default. From version 18 on, NOT NULL is a constraint of its own.
const IN_USE: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.classid <> 'pg_catalog.pg_attrdef'::pg_catalog.regclass
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k
            WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.oid = d.objid AND k.contype = 'n')
        AND n.nspname = $1 AND c.relname = $2 AND a.attname = $3)";

/// The column of a table that marks rows. A row whose mark is NULL would be outside of every exclusion, so the column has
/// to be `NOT NULL`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MarkColumn<'a> {
    pub(crate) table: &'a TableName,
    pub(crate) column: &'a Ident,
}

impl MarkColumn<'_> {
    /// How the column stands.
    pub(crate) async fn state(self, client: &Client) -> Result<State, OpsError> {
        let row = client
            .query_typed_opt(COLUMN, &self.names().each_ref().map(|name| (name as _, Type::TEXT)))
            .await;
        let Some(row) = row.driver()? else { return Ok(State::Missing) };
        let (ty, not_null, default): (String, bool, String) = (row.get(0), row.get(1), row.get(2));
        if ty != "boolean" {
            return Ok(State::NameTaken { by: format!("a column of type {ty}") });
        }
        let found = format!("{ty}{}{default}", if not_null { " not null" } else { "" });
        Ok(if found == EXPECTED { State::Valid } else { State::Changed { expected: EXPECTED.into(), found } })
    }

    /// Adds the column where it is missing: a change of the catalog, no row is rewritten. A column that may be NULL, or
    /// has another default, is repaired; if some rows are NULL that is [`StillViolated`](OpsError::StillViolated).
    pub(crate) async fn ensure(self, client: &mut Client, pace: &Pace) -> Result<Built, OpsError> {
        let started = Instant::now();
        let (work, times) = match self.state(client).await? {
            State::Valid => (Work::AlreadyThere, LockTimes::default()),
            State::NameTaken { by } => {
                let (table, rule) = (self.table.to_string(), self.column.to_string());
                return Err(OpsError::NameTaken { table, rule, by });
            }
            State::Missing => (Work::Built, self.brief(client, pace, &self.add()).await?),
            _ => (Work::Replaced, self.repair(client, pace).await?),
        };
        let (name, kind, duration) = (self.column.to_string(), ObjectKind::Column, started.elapsed());
        Ok(Built { name, kind, work, duration, waited: times.waited, locked: times.locked })
    }

    /// The statement that adds the column.
    pub(crate) fn add(self) -> String {
        let (table, column) = (self.table.quoted(), self.column.quoted());
        format!("ALTER TABLE {table} ADD COLUMN {column} boolean NOT NULL DEFAULT false")
    }

    /// How many rows are marked.
    pub(crate) async fn count(self, client: &mut Client, pace: &Pace) -> Result<u64, OpsError> {
        let tx = session::begin(client, pace.lock_timeout).await?;
        let sql = format!("SELECT count(*) FROM {} WHERE {}", self.table.quoted(), self.column.quoted());
        let row = tx.query_typed_one(&sql, &[]).await.driver()?;
        tx.rollback().await.driver()?;
        Ok(row.get::<_, i64>(0).unsigned_abs())
    }

    /// Drops the column. PostgreSQL would silently drop indexes and constraints that use it, so while there are any it is
    /// [`InUse`](OpsError::InUse).
    pub(crate) async fn drop(self, client: &mut Client, pace: &Pace) -> Result<(), OpsError> {
        TableInfo::existing(client, self.table).await?.expect_column(self.column)?;
        let row = client
            .query_typed_one(IN_USE, &self.names().each_ref().map(|name| (name as _, Type::TEXT)))
            .await;
        if row.driver()?.get(0) {
            return Err(OpsError::InUse { table: self.table.to_string(), object: self.column.to_string() });
        }
        let sql = format!("ALTER TABLE {} DROP COLUMN {}", self.table.quoted(), self.column.quoted());
        self.brief(client, pace, &sql).await.map(|_| ())
    }

    /// `SET NOT NULL` reads the whole table under an exclusive lock, unless a valid check says there is nothing to find.
    async fn repair(self, client: &mut Client, pace: &Pace) -> Result<LockTimes, OpsError> {
        let (table, column) = (self.table.quoted(), self.column.quoted());
        let check = Ddl {
            table: self.table.clone(),
            name: self.column.with_suffix("_marks"),
            kind: ObjectKind::Check,
            definition: format!("CHECK ({column} IS NOT NULL)"),
        };
        let default = format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT false");
        self.brief(client, pace, &default).await?;
        let printed = probe::printed(client, self.table, std::slice::from_ref(&check), None, pace).await?;
        let mut built = Ok(());
        for expected in &printed {
            built = builder::ensure(client, &check, expected, pace).await.map(|_| ());
        }
        let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {}", check.name.quoted());
        match built {
            Ok(()) => {
                let set = format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL; {drop}");
                self.brief(client, pace, &set).await
            }
            Err(error) => {
                let _ = self.brief(client, pace, &drop).await;
                Err(error)
            }
        }
    }

    async fn brief(self, client: &mut Client, pace: &Pace, sql: &str) -> Result<LockTimes, OpsError> {
        Ok(session::brief(client, pace, self.table, Lock::AccessExclusive.as_sql(), sql).await?)
    }

    fn names(&self) -> [&str; 3] {
        [self.table.schema.as_str(), self.table.name.as_str(), self.column.as_str()]
    }
}
