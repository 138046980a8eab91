//! What the program ends with.

use std::fmt;

use slotkeeper::migrate::OpsError;

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

impl From<OpsError> for Failure {
    fn from(error: OpsError) -> Self {
        let next = match &error {
            OpsError::StillViolated { .. } => {
                "; see `preflight`, then `quarantine` (overlaps, windows) or `dedupe` (keys, orphans)"
            }
            OpsError::RowRefused { .. } => "; a rule that is up decides, so take it `down` first",
            OpsError::DataWouldBeLost { .. } => {
                "; keep them with --export, or give them up with --destroy-data"
            }
            OpsError::RowsMarked { .. } => {
                "; take the guard `down --all` and `restore` them first, or give the marks up with --forget-marks"
            }
            _ => "",
        };
        Self(format!("{error}{next}"))
    }
}
