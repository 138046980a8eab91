//! What must be so before a table is touched: the server, and the extension that exclusions need.

use tokio_postgres::Client;

use super::step;
use super::{Guard, Pace, Rule};
use crate::migrate::MigrateError;

const OLDEST_SERVER: i32 = 14;

/// Checks the server, and creates `btree_gist` if a rule needs it, it is missing and `create` is set.
pub(crate) async fn prepare(
    client: &mut Client,
    guard: &Guard,
    create: bool,
    pace: &Pace,
) -> Result<(), MigrateError> {
    let tx = step::begin(client, pace.lock_timeout).await?;
    let sql = "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 / 10000,
        pg_catalog.pg_is_in_recovery(),
        EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'btree_gist'),
        EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public')";
    let row = tx.query_typed_one(sql, &[]).await.map_err(MigrateError::from_driver)?;
    let (version, standby, installed, public) = (row.get(0), row.get(1), row.get(2), row.get::<_, bool>(3));
    if version < OLDEST_SERVER {
        return Err(MigrateError::UnsupportedServer { version });
    }
    if standby {
        return Err(MigrateError::ReadOnlyServer);
    }
    let needed = guard.rules.iter().any(|rule| matches!(rule, Rule::NoOverlap(_)));
    if installed || !needed {
        return tx.rollback().await.map_err(MigrateError::from_driver);
    }
    if !create {
        return Err(MigrateError::MissingExtension);
    }
    // Where a person would put it: other schemas of this database share it.
    let home = if public { "public".to_owned() } else { guard.table.schema.quoted() };
    let sql = format!("CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA {home}");
    tx.batch_execute(&sql).await.map_err(extension_error)?;
    tx.commit().await.map_err(MigrateError::from_driver)
}

/// The server does not ship it (0A000, or 58P01 before version 15), or the role may not create it.
pub(super) fn extension_error(error: tokio_postgres::Error) -> MigrateError {
    match MigrateError::from_driver(error) {
        MigrateError::PermissionDenied => MigrateError::MissingExtension,
        MigrateError::Database { sqlstate: Some(code) } if code == "0A000" || code == "58P01" => {
            MigrateError::MissingExtension
        }
        other => other,
    }
}
