//! Rows of a table looked up, marked, removed and put back.

use tokio_postgres::RowStream;
use tokio_postgres::types::{ToSql, Type};

use crate::ops::artifact::sql::unnest;
use crate::ops::artifact::{Row, RowTable};
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, Ident, MigrateError, RowKey, TableName};

/// A row that was found.
#[derive(Debug)]
pub(crate) struct Current {
    /// Which of the keys asked for.
    pub(crate) at: usize,
    pub(crate) row: Row,
    pub(crate) marked: bool,
}

/// By [`Lock`].
const ROWS_LOCK: [&str; 3] = ["", "FOR NO KEY UPDATE OF t SKIP LOCKED", "FOR UPDATE OF t SKIP LOCKED"];

/// How rows that are looked up are locked. A row that another session holds is passed over, never waited for: who waits
/// for nothing while holding rows takes part in no deadlock.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lock {
    None,
    /// To change columns that are in no key.
    Mark,
    /// To delete; also keeps anyone from referring to the row.
    Remove,
}

impl RowTable {
    /// The rows of `keys` that are there and, if they are to be locked, free; in the order of the primary key.
    pub(crate) async fn find(
        &self,
        tx: &Transaction<'_>,
        keys: &[&RowKey],
        lock: Lock,
    ) -> Result<Vec<Current>, MigrateError> {
        let (order, lock) = (self.key_columns("t").join(", "), ROWS_LOCK[lock as usize]);
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
    pub(crate) async fn stream(&self, tx: &Transaction<'_>) -> Result<RowStream, MigrateError> {
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
    ) -> Result<u64, MigrateError> {
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
    pub(crate) async fn remove_rows(
        &self,
        tx: &Transaction<'_>,
        keys: &[&RowKey],
    ) -> Result<u64, MigrateError> {
        let sql =
            format!("DELETE FROM {} AS t USING {} WHERE {}", self.name.quoted(), self.keys(), self.on_key());
        let arrays = self.arrays(keys);
        tx.execute_typed(&sql, &params(&arrays)).await.map_err(|error| refused(error, &self.name))
    }

    /// Puts rows back, identity columns included; returns how many.
    pub(crate) async fn insert_rows(&self, tx: &Transaction<'_>, rows: &[&Row]) -> Result<u64, MigrateError> {
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

/// A constraint of the host's that will not have the change is named; its message may quote the row.
fn refused(error: tokio_postgres::Error, table: &TableName) -> MigrateError {
    let found = error.as_db_error().filter(|error| error.code().code().starts_with("23"));
    let rule = found.and_then(|error| error.constraint().or(error.column()).map(str::to_owned));
    match rule {
        Some(rule) => MigrateError::RowRefused { table: table.to_string(), rule },
        None => MigrateError::from_driver(error),
    }
}
