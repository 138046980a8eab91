//! Rows looked up by key, marked, removed and inserted.

use tokio_postgres::RowStream;
use tokio_postgres::types::{ToSql, Type};

use crate::ops::artifact::Row;
use crate::ops::rows::RowTable;
use crate::ops::rows::sql::unnest;
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, Ident, OpsError, RowKey, TableName};

/// A row that was found.
#[derive(Debug)]
pub(crate) struct Current {
    /// The position of its key among those asked for.
    pub(crate) at: usize,
    pub(crate) row: Row,
    pub(crate) marked: bool,
}

/// The clause of each [`RowLock`].
const LOCKS: [&str; 3] = ["", "FOR NO KEY UPDATE OF t SKIP LOCKED", "FOR UPDATE OF t SKIP LOCKED"];

/// How rows that are looked up are locked. A row that another session holds is skipped, never waited for: a session that
/// does not wait while it holds rows takes part in no deadlock.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowLock {
    None,
    /// To change columns outside of every key.
    Mark,
    /// To delete; also keeps anyone from referring to the row.
    Remove,
}

impl RowTable {
    /// The rows of `keys` that exist and, if they are to be locked, are free; in the order of the primary key.
    pub(crate) async fn find(
        &self,
        tx: &Transaction<'_>,
        keys: &[&RowKey],
        lock: RowLock,
    ) -> Result<Vec<Current>, OpsError> {
        let (order, lock) = (self.key_columns("t").join(", "), LOCKS[lock as usize]);
        let sql = format!(
            "SELECT k.at::pg_catalog.int8, {}, {} FROM {} JOIN {} AS t ON {} ORDER BY {order} {lock}",
            self.texts(),
            self.mark_of("t"),
            self.keys(),
            self.name.quoted(),
            self.on_key()
        );
        let arrays = self.arrays(keys);
        let rows = tx.query_typed(&sql, &params(&arrays)).await.driver()?;
        let current = |row: &tokio_postgres::Row| {
            let at = usize::try_from(row.try_get::<_, i64>(0)? - 1).unwrap_or_default();
            Ok(Current { at, row: row.try_get(1)?, marked: row.try_get(2)? })
        };
        rows.iter().map(current).collect::<Result<_, _>>().driver()
    }

    /// All rows, streamed, each an array of texts.
    pub(crate) async fn stream(&self, tx: &Transaction<'_>) -> Result<RowStream, OpsError> {
        let sql = format!("SELECT {} FROM {} AS t", self.texts(), self.name.quoted());
        tx.query_typed_raw::<&str, _>(&sql, []).await.driver()
    }

    /// Sets or clears the mark, and in `since` when it was set; returns how many rows it changed.
    pub(crate) async fn mark_rows(
        &self,
        tx: &Transaction<'_>,
        keys: &[&RowKey],
        marked: bool,
        since: Option<&Ident>,
    ) -> Result<u64, OpsError> {
        let Some(shadow) = &self.shadow else { return Ok(0) };
        let (table, column, on) = (self.name.quoted(), shadow.quoted(), self.on_key());
        let now = if marked { "pg_catalog.statement_timestamp()" } else { "NULL" };
        let since = since.map(|since| format!(", {} = {now}", since.quoted())).unwrap_or_default();
        let sql =
            format!("UPDATE {table} AS t SET {column} = {marked}{since} FROM {} WHERE {on}", self.keys());
        let arrays = self.arrays(keys);
        tx.execute_typed(&sql, &params(&arrays)).await.map_err(|error| refused(error, &self.name))
    }

    /// Removes rows; returns how many.
    pub(crate) async fn remove_rows(&self, tx: &Transaction<'_>, keys: &[&RowKey]) -> Result<u64, OpsError> {
        let sql =
            format!("DELETE FROM {} AS t USING {} WHERE {}", self.name.quoted(), self.keys(), self.on_key());
        let arrays = self.arrays(keys);
        tx.execute_typed(&sql, &params(&arrays)).await.map_err(|error| refused(error, &self.name))
    }

    /// Refuses if a trigger or rule of the host's kept some of the rows as they were.
    pub(crate) fn expect_changed(&self, changed: u64, meant: usize) -> Result<(), OpsError> {
        if changed == meant as u64 {
            Ok(())
        } else {
            Err(OpsError::RowsKept { table: self.name.to_string() })
        }
    }

    /// Puts rows back, identity columns included; returns how many.
    pub(crate) async fn insert_rows(&self, tx: &Transaction<'_>, rows: &[&Row]) -> Result<u64, OpsError> {
        let there = |at: &usize| Some(*at) != self.shadow_at || self.has_shadow;
        let places: Vec<usize> = (0..self.columns.len()).filter(there).collect();
        let column = |at: &usize| self.columns[*at].quoted();
        let value = |at: &usize| format!("r.c{at}::{}", self.section.columns[*at].ty);
        let list = |of: Vec<String>| of.join(", ");
        let sql = format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {} AS r ({})",
            self.name.quoted(),
            list(places.iter().map(column).collect()),
            list(places.iter().map(value).collect()),
            unnest(places.len()),
            list(places.iter().map(|at| format!("c{at}")).collect()),
        );
        let values = |at: &usize| rows.iter().map(|row| row[*at].as_deref()).collect::<Vec<_>>();
        let arrays: Vec<Vec<Option<&str>>> = places.iter().map(values).collect();
        tx.execute_typed(&sql, &params(&arrays)).await.map_err(|error| refused(error, &self.name))
    }
}

pub(crate) fn params<'a>(arrays: &'a [Vec<Option<&'a str>>]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    arrays.iter().map(|array| (array as _, Type::TEXT_ARRAY)).collect()
}

/// The error of changing rows. A constraint of the host's that refuses the change is named; the server's message is not
/// kept, because it may quote the row.
fn refused(error: tokio_postgres::Error, table: &TableName) -> OpsError {
    let found = error.as_db_error().filter(|error| error.code().code().starts_with("23"));
    let rule = found.and_then(|error| error.constraint().or(error.column()).map(str::to_owned));
    match rule {
        Some(rule) => OpsError::RowRefused { table: table.to_string(), rule },
        None => OpsError::from_driver(error),
    }
}
