//! What the server must be, and have.

use crate::ops::MigrateError;

/// The oldest major version that is supported.
pub(crate) const OLDEST_SERVER: i32 = 14;

/// The server does not ship it (0A000, or 58P01 before version 15), or the role may not create it.
pub(crate) fn extension_error(error: tokio_postgres::Error) -> MigrateError {
    match MigrateError::from_driver(error) {
        MigrateError::PermissionDenied => MigrateError::MissingExtension,
        MigrateError::Database { sqlstate: Some(code) } if code == "0A000" || code == "58P01" => {
            MigrateError::MissingExtension
        }
        other => other,
    }
}
