//! What the role may do with a table.

use tokio_postgres::types::Type;

use crate::ops::transaction::Transaction;
use crate::ops::{Ident, TableName};

/// What the role may do with a table.
pub(crate) struct Rights {
    pub(crate) oid: i64,
    pub(crate) owns: bool,
    /// Whether it may read every row.
    pub(crate) reads: bool,
    pub(crate) refers: bool,
    /// Whether it may create objects in the table's schema, such as an index.
    pub(crate) creates: bool,
}

const RIGHTS: &str = "
SELECT c.oid::int8, pg_has_role(c.relowner, 'USAGE'),
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid),
    has_table_privilege(c.oid, 'REFERENCES'), has_schema_privilege(n.oid, 'CREATE')
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')";

/// The role's rights on a table; `None` if the table does not exist.
pub(crate) async fn rights(
    tx: &Transaction<'_>,
    table: &TableName,
) -> Result<Option<Rights>, tokio_postgres::Error> {
    let params = [(&table.schema.as_str() as _, Type::TEXT), (&table.name.as_str() as _, Type::TEXT)];
    let Some(row) = tx.query_typed_opt(RIGHTS, &params).await? else { return Ok(None) };
    Ok(Some(Rights {
        oid: row.try_get(0)?,
        owns: row.try_get(1)?,
        reads: row.try_get(2)?,
        refers: row.try_get(3)?,
        creates: row.try_get(4)?,
    }))
}

const UNIQUE: &str = "
SELECT EXISTS (
    SELECT FROM pg_index AS i
    WHERE i.indrelid = $1::int8::oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL
        AND i.indexprs IS NULL AND $2 = ARRAY(
            SELECT a.attname::text COLLATE \"C\" FROM unnest(i.indkey) WITH ORDINALITY AS k (attnum, at)
            JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
            WHERE k.at <= i.indnkeyatts ORDER BY 1))";

/// Whether a foreign key may refer to these columns.
pub(crate) async fn is_key(
    tx: &Transaction<'_>,
    oid: i64,
    columns: &[Ident],
) -> Result<bool, tokio_postgres::Error> {
    let mut names: Vec<&str> = columns.iter().map(Ident::as_str).collect();
    names.sort_unstable();
    let row = tx.query_typed_one(UNIQUE, &[(&oid, Type::INT8), (&names, Type::TEXT_ARRAY)]).await?;
    row.try_get(0)
}
