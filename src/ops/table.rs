//! What the catalog says of a table.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use crate::ops::{DriverResult, Ident, OpsError, TableName};

/// A table as it is now. Reading it takes no lock that outlives the statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableInfo {
    pub(crate) name: TableName,
    pub(crate) columns: Vec<Column>,
    /// The primary key, in its order; none if the table has none.
    pub(crate) key: Vec<Ident>,
    /// As the planner's statistics have it; 0 if the table was never analyzed.
    pub(crate) estimated_rows: u64,
    /// Table, indexes and TOAST.
    pub(crate) total_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: Ident,
    /// With its modifiers and schema, as it stands in a cast.
    pub(crate) ty: String,
    /// Computed from other columns: it cannot be written.
    pub(crate) generated: bool,
}

const QUERY: &str = "SELECT c.oid::int8, greatest(c.reltuples, 0)::int8, pg_total_relation_size(c.oid)::int8,
        ARRAY(SELECT a.attname::text FROM pg_index AS i, unnest(i.indkey) WITH ORDINALITY AS k (attnum, at)
              JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum
              WHERE i.indrelid = c.oid AND i.indisprimary AND k.at <= i.indnkeyatts ORDER BY k.at)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')";

const COLUMNS: &str = "SELECT attname::text, format_type(atttypid, atttypmod), attgenerated <> ''
    FROM pg_attribute WHERE attrelid = $1::int8::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum";

impl TableInfo {
    /// Reads a table; `None` if it does not exist.
    pub(crate) async fn read(client: &Client, name: &TableName) -> Result<Option<Self>, OpsError> {
        let params = [(&name.schema.as_str() as _, Type::TEXT), (&name.name.as_str() as _, Type::TEXT)];
        let row = client.query_typed_opt(QUERY, &params).await.driver()?;
        let Some(row) = row else { return Ok(None) };
        let oid: i64 = row.get(0);
        let columns = client.query_typed(COLUMNS, &[(&oid, Type::INT8)]).await;
        let columns = columns.driver()?;
        Ok(Some(Self {
            name: name.clone(),
            columns: columns.iter().map(Column::read).collect::<Result<_, _>>()?,
            key: row.get::<_, Vec<String>>(3).into_iter().map(ident).collect::<Result<_, _>>()?,
            estimated_rows: row.get::<_, i64>(1).unsigned_abs(),
            total_bytes: row.get::<_, i64>(2).unsigned_abs(),
        }))
    }

    /// Reads a table; one that does not exist is an error.
    pub(crate) async fn existing(client: &Client, name: &TableName) -> Result<Self, OpsError> {
        let found = Self::read(client, name).await?;
        found.ok_or_else(|| OpsError::MissingTable { table: name.to_string() })
    }

    pub(crate) fn column(&self, name: &Ident) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }

    /// The column, or an error that names it.
    pub(crate) fn expect_column(&self, name: &Ident) -> Result<&Column, OpsError> {
        let missing = || OpsError::MissingColumn { table: self.name.to_string(), column: name.to_string() };
        self.column(name).ok_or_else(missing)
    }

    /// The primary key. Without one, a single row cannot be addressed, so that is an error.
    pub(crate) fn expect_key(&self) -> Result<&[Ident], OpsError> {
        if self.key.is_empty() {
            Err(OpsError::NoPrimaryKey { table: self.name.to_string() })
        } else {
            Ok(&self.key)
        }
    }
}

impl Column {
    fn read(row: &Row) -> Result<Self, OpsError> {
        Ok(Self { name: ident(row.get(0))?, ty: row.get(1), generated: row.get(2) })
    }
}

/// The host's catalog may hold names longer than ours may be; such a table cannot be guarded.
fn ident(name: String) -> Result<Ident, OpsError> {
    Ident::new(&name).map_err(|_| OpsError::UnsupportedName { name })
}
