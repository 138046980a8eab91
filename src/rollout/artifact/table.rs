//! Rows of a table as text: looked up, marked, removed, put back.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{RowStream, Transaction};

use super::super::finding::RowKey;
use super::super::ident::{Ident, TableName};
use super::super::table::TableInfo;
use super::header::Section;
use super::{ArtifactError, Row};
use crate::migrate::MigrateError;

/// A table of an artifact, as it is now.
#[derive(Debug)]
pub(crate) struct RowTable {
    pub(crate) name: TableName,
    pub(crate) section: Section,
    columns: Vec<Ident>,
    key: Vec<Key>,
    /// The mark: whether it is in the table now, and where in a row.
    shadow: Option<Ident>,
    has_shadow: bool,
    shadow_at: Option<usize>,
}

/// A column of the primary key.
#[derive(Debug)]
struct Key {
    at: usize,
    /// The equality of its index, with its schema: with another one the index would not be used.
    equals: String,
}

/// A row that was found.
#[derive(Debug)]
pub(crate) struct Current {
    /// Which of the keys asked for.
    pub(crate) at: usize,
    pub(crate) row: Row,
    pub(crate) marked: bool,
}

/// The operator by which each column of the primary key is compared (strategy 3 of a b-tree).
const EQUALITY: &str = "SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
    FROM pg_index AS i, unnest(i.indclass) WITH ORDINALITY AS k (opclass, at)
    JOIN pg_opclass AS c ON c.oid = k.opclass
    JOIN pg_amop AS a ON a.amopfamily = c.opcfamily AND a.amoplefttype = c.opcintype
        AND a.amoprighttype = c.opcintype AND a.amopstrategy = 3
    JOIN pg_operator AS o ON o.oid = a.amopopr JOIN pg_namespace AS n ON n.oid = o.oprnamespace
    WHERE i.indrelid = to_regclass($1) AND i.indisprimary AND k.at <= i.indnkeyatts ORDER BY k.at";

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
    /// The table as it is, for a new artifact. Within [`text_form`](super::text_form).
    pub(crate) async fn current(
        tx: &Transaction<'_>,
        name: &TableName,
        shadow: Option<&Ident>,
    ) -> Result<Self, MigrateError> {
        let section = Section::of(&TableInfo::existing(tx, name).await?)?;
        Self::of(tx, section, shadow).await
    }

    /// The table of a section, which must still have its shape. Within [`text_form`](super::text_form).
    pub(crate) async fn of(
        tx: &Transaction<'_>,
        section: Section,
        shadow: Option<&Ident>,
    ) -> Result<Self, MigrateError> {
        let name = section.name()?;
        let now = Section::of(&TableInfo::existing(tx, &name).await?)?;
        section.expect_shape(&now, shadow)?;
        let mark = shadow.and_then(|shadow| now.columns.iter().find(|head| head.name == shadow.as_str()));
        if let (Some(mark), Some(shadow)) = (mark, shadow)
            && mark.ty != "boolean"
        {
            let (table, rule, by) =
                (name.to_string(), shadow.to_string(), format!("a column of type {}", mark.ty));
            return Err(MigrateError::NameTaken { table, rule, by });
        }
        let quoted = name.quoted();
        let rows = tx.query_typed(EQUALITY, &[(&quoted, Type::TEXT)]).await;
        let operators: Vec<String> =
            rows.map_err(MigrateError::from_driver)?.iter().map(|row| row.get(0)).collect();
        let key = |(position, column): (usize, &String)| {
            let equals = operators.get(position).map_or("OPERATOR(pg_catalog.=)", String::as_str).to_owned();
            section.position(column).map(|at| Key { at, equals })
        };
        let key: Option<Vec<Key>> = section.key.iter().enumerate().map(key).collect();
        let columns = section.columns.iter().map(|head| {
            Ident::new(&head.name).map_err(|_| MigrateError::UnsupportedName { name: head.name.clone() })
        });
        Ok(Self {
            key: key.ok_or_else(|| MigrateError::NoPrimaryKey { table: name.to_string() })?,
            columns: columns.collect::<Result<_, _>>()?,
            has_shadow: mark.is_some(),
            shadow_at: shadow.and_then(|shadow| section.position(shadow.as_str())),
            shadow: shadow.cloned(),
            name,
            section,
        })
    }

    /// The key of a row.
    pub(crate) fn key_of(&self, row: &Row) -> RowKey {
        RowKey(self.key.iter().map(|key| row[key.at].clone().unwrap_or_default()).collect())
    }

    /// Whether two rows are the same but for the mark.
    pub(crate) fn same(&self, one: &Row, two: &Row) -> bool {
        let differs = |at: usize| Some(at) != self.shadow_at && one.get(at) != two.get(at);
        !(0..self.columns.len()).any(differs)
    }

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
        let rows = tx.query_typed(&sql, &params(&arrays)).await.map_err(MigrateError::from_driver)?;
        let current = |row: &tokio_postgres::Row| {
            let at = usize::try_from(row.try_get::<_, i64>(0)? - 1).unwrap_or_default();
            Ok(Current { at, row: row.try_get(1)?, marked: row.try_get(2)? })
        };
        rows.iter().map(current).collect::<Result<_, _>>().map_err(MigrateError::from_driver)
    }

    /// All rows, streamed, each an array of texts.
    pub(crate) async fn stream(&self, tx: &Transaction<'_>) -> Result<RowStream, MigrateError> {
        let sql = format!("SELECT {} FROM {} AS t", self.texts(), self.name.quoted());
        tx.query_typed_raw::<&str, _>(&sql, []).await.map_err(MigrateError::from_driver)
    }

    /// Sets or clears the mark; returns how many rows it changed.
    pub(crate) async fn mark_rows(
        &self,
        tx: &Transaction<'_>,
        keys: &[&RowKey],
        marked: bool,
    ) -> Result<u64, MigrateError> {
        let Some(shadow) = &self.shadow else { return Ok(0) };
        let (table, column, on) = (self.name.quoted(), shadow.quoted(), self.on_key());
        let sql = format!("UPDATE {table} AS t SET {column} = {marked} FROM {} WHERE {on}", self.keys());
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

    /// Each column's text. `IS DISTINCT FROM NULL`, because `IS NULL` is true of a row type whose fields all are NULL.
    fn texts(&self) -> String {
        let text = |(at, column): (usize, &Ident)| {
            if Some(at) == self.shadow_at && !self.has_shadow {
                return "NULL".to_owned();
            }
            let column = column.quoted();
            format!("CASE WHEN t.{column} IS DISTINCT FROM NULL THEN pg_catalog.format('%s', t.{column}) END")
        };
        let texts: Vec<String> = self.columns.iter().enumerate().map(text).collect();
        format!("ARRAY[{}]::pg_catalog.text[]", texts.join(", "))
    }

    /// Whether row `of` is marked, as SQL; a column that is not there yet is false.
    pub(crate) fn mark_of(&self, of: &str) -> String {
        match &self.shadow {
            Some(shadow) if self.has_shadow => format!("({of}.{} IS TRUE)", shadow.quoted()),
            _ => "false".to_owned(),
        }
    }

    pub(crate) fn key_idents(&self) -> Vec<Ident> {
        self.key.iter().map(|key| self.columns[key.at].clone()).collect()
    }

    fn key_columns(&self, of: &str) -> Vec<String> {
        self.key.iter().map(|key| format!("{of}.{}", self.columns[key.at].quoted())).collect()
    }

    /// The keys asked for, as a table `k` of texts and their number.
    pub(crate) fn keys(&self) -> String {
        let names: Vec<String> = (1..=self.key.len()).map(|at| format!("k{at}, ")).collect();
        format!("{} WITH ORDINALITY AS k ({}at)", unnest(self.key.len()), names.concat())
    }

    /// The condition that `t` is the row of `k`.
    pub(crate) fn on_key(&self) -> String {
        let equal = |(at, key): (usize, &Key)| {
            let (column, ty) = (self.columns[key.at].quoted(), &self.section.columns[key.at].ty);
            format!("t.{column} {} k.k{}::{ty}", key.equals, at + 1)
        };
        self.key.iter().enumerate().map(equal).collect::<Vec<_>>().join(" AND ")
    }

    /// The parameters of [`keys`](Self::keys).
    pub(crate) fn arrays<'k>(&self, keys: &[&'k RowKey]) -> Vec<Vec<Option<&'k str>>> {
        let column = |at: usize| keys.iter().map(|key| key.0.get(at).map(String::as_str)).collect();
        (0..self.key.len()).map(column).collect()
    }
}

/// As many arrays as there are columns, side by side.
fn unnest(columns: usize) -> String {
    let array = |at| format!("pg_catalog.unnest(${at}::pg_catalog.text[])");
    format!("ROWS FROM ({})", (1..=columns).map(array).collect::<Vec<_>>().join(", "))
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

impl From<ArtifactError> for MigrateError {
    fn from(error: ArtifactError) -> Self {
        Self::Artifact(error)
    }
}
