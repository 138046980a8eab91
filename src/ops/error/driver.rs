//! The driver's errors as ours: an SQLSTATE, and no text of the server.

use std::error::Error as _;

use crate::ops::OpsError;

impl OpsError {
    pub(crate) fn from_driver(error: tokio_postgres::Error) -> Self {
        let Some(code) = error.code() else {
            let io = error.source().is_some_and(|source| source.is::<std::io::Error>());
            return if io || error.is_closed() {
                Self::Unavailable
            } else {
                Self::Database { sqlstate: None }
            };
        };
        match code.code() {
            "42501" => Self::PermissionDenied,
            "25006" => Self::ReadOnlyServer,
            "55P03" | "40P01" => Self::Contended { attempts: 1 },
            "57P01" | "57P02" | "57P03" => Self::Unavailable,
            code if code.starts_with("08") => Self::Unavailable,
            code => Self::Database { sqlstate: Some(code.to_owned()) },
        }
    }

    /// Whether the same step may succeed at once: another session held a lock, or created the same object.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Contended { .. } => true,
            Self::Database { sqlstate: Some(code) } => {
                matches!(code.as_str(), "40001" | "23505" | "42710" | "42P06")
            }
            _ => false,
        }
    }
}

/// Turns the driver's results into ours. An extension and not `From`, so that each conversion is seen where it happens.
pub(crate) trait DriverResult<T> {
    /// The value, or [`OpsError::from_driver`] of the error.
    fn driver(self) -> Result<T, OpsError>;
}

impl<T> DriverResult<T> for Result<T, tokio_postgres::Error> {
    fn driver(self) -> Result<T, OpsError> {
        self.map_err(OpsError::from_driver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::SchemaName;

    #[test]
    fn texts_are_lower_case_and_name_the_sqlstate_only() {
        let error = OpsError::Database { sqlstate: Some("42P07".into()) };
        assert_eq!(error.to_string(), "the database refused a statement (SQLSTATE 42P07)");
        let error = OpsError::Database { sqlstate: None };
        assert_eq!(error.to_string(), "the database refused a statement (SQLSTATE unknown)");
        let error = OpsError::MissingSchema { schema: SchemaName::default() };
        assert_eq!(error.to_string(), "schema slotkeeper does not exist");
    }
}
