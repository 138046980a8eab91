//! What can be wrong with an artifact.

use std::io;
use std::path::PathBuf;

use crate::ops::OpsError;

/// Why an artifact was not written or not used. Nothing was changed in the database by the call that reports it, except
/// where a variant says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// The disk is full, the folder is missing, the file may not be written or read …
    #[error("the artifact {} cannot be used: {kind}", path.display())]
    Io {
        /// The file or its folder.
        path: PathBuf,
        /// In which way.
        kind: io::ErrorKind,
    },
    /// Another run writes the file, or wrote it meanwhile. Choose another path.
    #[error("the artifact {} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The end is missing.
    #[error("the artifact {} is cut off", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
    },
    /// The file is not an artifact, or was changed since it was written.
    #[error("the artifact {} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A newer release wrote the artifact.
    #[error("the artifact has format version {found}, this release knows {known}")]
    NewerVersion {
        /// Its version.
        found: u32,
        /// The newest known.
        known: u32,
    },
    /// The artifact was written from another database, or from a copy of this one.
    #[error("the artifact is of another database")]
    OtherDatabase,
    /// The artifact holds rows of other tables.
    #[error("the artifact is not of table {table}")]
    OtherTable {
        /// The table that was asked for.
        table: String,
    },
    /// The table has gained, lost or changed a column or its primary key since.
    #[error("table {table} has changed its shape since the artifact was written: {column}")]
    OtherShape {
        /// The table.
        table: String,
        /// The first column that differs.
        column: String,
    },
    /// The artifact was written by another kind of run, such as a dedupe's given to a quarantine, or for other tenants.
    #[error("the artifact was written by another kind of run")]
    OtherPurpose,
    /// A row that was found could not be read again by its primary key. A defect; nothing was written.
    #[error("a row of table {table} could not be read by its key")]
    Unreadable {
        /// The table.
        table: String,
    },
}

impl ArtifactError {
    /// For `map_err`.
    pub(super) fn io(path: &std::path::Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path: path.clone(), kind: error.kind() }
    }
}

impl From<ArtifactError> for OpsError {
    fn from(error: ArtifactError) -> Self {
        Self::Artifact(error)
    }
}
