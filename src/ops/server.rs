//! What the server must be, and have.

use tokio_postgres::Client;

use crate::ops::{DriverResult, OpsError};

/// The oldest major version that is supported.
pub(crate) const OLDEST_SERVER: i32 = 14;

/// Refuses an older one.
pub(crate) async fn expect_supported(client: &Client) -> Result<(), OpsError> {
    let sql = "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 / 10000";
    let row = client.query_typed_one(sql, &[]).await;
    match row.and_then(|row| row.try_get(0)).driver()? {
        version if version < OLDEST_SERVER => Err(OpsError::UnsupportedServer { version }),
        _ => Ok(()),
    }
}

/// The server does not ship it (0A000, or 58P01 before version 15), or the role may not create it.
pub(crate) fn extension_error(error: tokio_postgres::Error) -> OpsError {
    match OpsError::from_driver(error) {
        OpsError::PermissionDenied => OpsError::MissingExtension,
        OpsError::Database { sqlstate: Some(code) } if code == "0A000" || code == "58P01" => {
            OpsError::MissingExtension
        }
        other => other,
    }
}
