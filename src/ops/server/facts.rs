//! The server and the role, as a preflight reports them.

use serde::Serialize;
use tokio_postgres::types::Type;

use crate::ops::transaction::Transaction;

/// The server and the role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServerFacts {
    /// As the server calls itself: `15.4`.
    pub version: String,
    /// The role whose rights were looked at.
    pub role: String,
    /// Whether it is a standby.
    pub standby: bool,
    /// Whether the session's transactions are read only, on a standby or by its settings.
    pub read_only: bool,
    /// The extension `btree_gist`.
    pub extension: Extension,
    /// Whether the schema of the tables exists.
    pub schema_exists: bool,
    /// Whether the role may create a schema in this database.
    pub may_create_schema: bool,
    /// Whether the role may create temporary tables, on which a guard's definitions are tried.
    pub may_create_temp: bool,
    /// Whether the role sees what sessions of other roles do. If not, only those of them that hold a lock are reported,
    /// without the time for which they have been open.
    pub sees_sessions: bool,
}

/// Where the extension `btree_gist` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Extension {
    /// In this database.
    Installed,
    /// On the server, and this role may create it.
    Creatable,
    /// On the server, and another role must create it.
    Available,
    /// Not on the server: its operator must install the contrib package.
    Unavailable,
}

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
pub(crate) async fn facts(
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
