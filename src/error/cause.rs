//! What is kept of a driver error.

use std::fmt;

/// What an operator may know of a cause: the SQLSTATE, if the server gave one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cause {
    sqlstate: Option<[u8; 5]>,
}

impl Cause {
    /// Not a server error: a connection, or our own limit.
    pub(crate) const NONE: Self = Self { sqlstate: None };

    pub(crate) fn of(error: &tokio_postgres::Error) -> Self {
        Self { sqlstate: error.code().and_then(|code| code.code().as_bytes().try_into().ok()) }
    }

    /// The SQLSTATE.
    #[must_use]
    pub fn sqlstate(&self) -> Option<&str> {
        self.sqlstate.as_ref().and_then(|code| std::str::from_utf8(code).ok())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sqlstate() {
            Some(code) => write!(f, "sqlstate {code}"),
            None => f.write_str("no answer from the server"),
        }
    }
}

impl std::error::Error for Cause {}
