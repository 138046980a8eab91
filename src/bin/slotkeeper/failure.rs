//! What the program ends with.

use std::fmt;

use slotkeeper::migrate::MigrateError;

/// Something to be dealt with was found: not an error, and not nothing.
pub(crate) const FOUND: u8 = 3;

/// An error, as the operator reads it.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        let next = match &error {
            MigrateError::StillViolated { .. } => "; see `preflight`, then `quarantine` or `dedupe`",
            MigrateError::RowRefused { .. } => "; a rule that is up decides, so take it `down` first",
            MigrateError::DataWouldBeLost { .. } => {
                "; keep them with --export, or give them up with --destroy-data"
            }
            MigrateError::RowsMarked { .. } => "; `restore` them first, or keep the column",
            _ => "",
        };
        Self(format!("{error}{next}"))
    }
}
