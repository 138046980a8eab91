//! The server, the role, and what the role may do with a table.

use tokio_postgres::types::Type;

use crate::ops::transaction::Transaction;
use crate::ops::{Ident, TableName};
use crate::rollout::preflight::report::{Extension, ServerFacts};

const SERVER: &str = "
SELECT current_setting('server_version'), current_user::text, pg_is_in_recovery(),
    current_setting('default_transaction_read_only')::bool,
    EXISTS (SELECT FROM pg_extension WHERE extname = 'btree_gist'),
    EXISTS (SELECT FROM pg_available_extensions WHERE name = 'btree_gist'),
    r.rolsuper OR has_database_privilege(current_database(), 'CREATE')
        AND EXISTS (SELECT FROM pg_available_extension_versions WHERE name = 'btree_gist' AND trusted),
    EXISTS (SELECT FROM pg_namespace WHERE nspname = $1),
    has_database_privilege(current_database(), 'CREATE'),
    pg_has_role('pg_read_all_stats', 'USAGE'),
    current_setting('server_version_num')::int4 / 10000,
    has_database_privilege(current_database(), 'TEMP')
FROM pg_roles AS r WHERE r.rolname = current_user";

/// The facts, and the major version.
pub(super) async fn facts(
    tx: &Transaction<'_>,
    schema: &str,
) -> Result<(ServerFacts, i32), tokio_postgres::Error> {
    let row = tx.query_typed_one(SERVER, &[(&schema, Type::TEXT)]).await?;
    let standby: bool = row.try_get(2)?;
    let extension = match (row.try_get(4)?, row.try_get(5)?, row.try_get(6)?) {
        (true, _, _) => Extension::Installed,
        (_, true, true) => Extension::Creatable,
        (_, true, false) => Extension::Available,
        _ => Extension::Unavailable,
    };
    let facts = ServerFacts {
        version: row.try_get(0)?,
        role: row.try_get(1)?,
        standby,
        read_only: standby || row.try_get(3)?,
        extension,
        schema_exists: row.try_get(7)?,
        may_create_schema: row.try_get(8)?,
        sees_sessions: row.try_get(9)?,
        may_create_temp: row.try_get(11)?,
    };
    Ok((facts, row.try_get(10)?))
}

/// What the role may do with a table.
pub(super) struct Rights {
    pub(super) oid: i64,
    pub(super) owns: bool,
    /// Every row of it.
    pub(super) reads: bool,
    pub(super) refers: bool,
    /// New objects in its schema, such as an index.
    pub(super) creates: bool,
}

const RIGHTS: &str = "
SELECT c.oid::int8, pg_has_role(c.relowner, 'USAGE'),
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid),
    has_table_privilege(c.oid, 'REFERENCES'), has_schema_privilege(n.oid, 'CREATE')
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')";

/// None if there is no such table.
pub(super) async fn rights(
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
pub(super) async fn is_key(
    tx: &Transaction<'_>,
    oid: i64,
    columns: &[Ident],
) -> Result<bool, tokio_postgres::Error> {
    let mut names: Vec<&str> = columns.iter().map(Ident::as_str).collect();
    names.sort_unstable();
    let row = tx.query_typed_one(UNIQUE, &[(&oid, Type::INT8), (&names, Type::TEXT_ARRAY)]).await?;
    row.try_get(0)
}
