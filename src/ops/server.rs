//! The server: its version, its extension, its settings, and what the role may do there.

mod facts;
mod rights;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ops::ident::quoted;
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, OpsError};

pub(crate) use facts::facts;
pub use facts::{Extension, ServerFacts};
pub(crate) use rights::{Rights, is_key, rights};

/// The oldest major version that is supported.
pub(crate) const OLDEST_SERVER: i32 = 14;

/// Refuses a server older than [`OLDEST_SERVER`].
pub(crate) async fn expect_supported(client: &Client) -> Result<(), OpsError> {
    let sql = "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 / 10000";
    let row = client.query_typed_one(sql, &[]).await;
    match row.and_then(|row| row.try_get(0)).driver()? {
        version if version < OLDEST_SERVER => Err(OpsError::UnsupportedServer { version }),
        _ => Ok(()),
    }
}

/// Whether this database has `btree_gist`.
pub(crate) async fn has_extension(client: &Client) -> Result<bool, OpsError> {
    let sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'btree_gist')";
    Ok(client.query_typed_one(sql, &[]).await.driver()?.get(0))
}

/// Creates `btree_gist`, in `public` if there is such a schema, otherwise in `home`.
pub(crate) async fn create_extension(tx: &Transaction<'_>, home: &str) -> Result<(), OpsError> {
    // Where a person would put it: other schemas of this database share it.
    let sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public')";
    let has_public: bool = tx.query_typed_one(sql, &[]).await.driver()?.get(0);
    let schema = quoted(if has_public { "public" } else { home });
    let sql = format!("CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA {schema}");
    tx.batch_execute(&sql).await.map_err(extension_error)
}

/// For whom the server takes a session for a replica's, which skips foreign keys: this session, a role, a database.
pub(crate) async fn replica_settings(client: &Client) -> Result<Vec<String>, OpsError> {
    let sql = "SELECT 'this session' FROM pg_catalog.pg_settings
            WHERE name = 'session_replication_role' AND setting = 'replica'
        UNION ALL
        SELECT concat_ws(' ', 'role ' || r.rolname, 'database ' || d.datname)
        FROM pg_catalog.pg_db_role_setting AS s
        LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
        LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
        WHERE (s.setdatabase = 0 OR d.datname = pg_catalog.current_database())
            AND $1 = ANY (s.setconfig)";
    let rows = client.query_typed(sql, &[(&"session_replication_role=replica", Type::TEXT)]).await;
    Ok(rows.driver()?.iter().map(|row| row.get(0)).collect())
}

/// The error of creating `btree_gist`: the server does not ship it (0A000, or 58P01 before version 15), or the role may not
/// create it.
pub(crate) fn extension_error(error: tokio_postgres::Error) -> OpsError {
    match OpsError::from_driver(error) {
        OpsError::PermissionDenied => OpsError::MissingExtension,
        OpsError::Database { sqlstate: Some(code) } if code == "0A000" || code == "58P01" => {
            OpsError::MissingExtension
        }
        other => other,
    }
}
