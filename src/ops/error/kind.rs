//! Who has to act on an error, and its stable name.

use crate::ops::OpsError;

/// What stands behind an [`OpsError`], and so who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OpsErrorKind {
    /// Others are at work, or the connection is lost: call again later.
    Busy,
    /// The server, its extension or the role's rights. Acts: an administrator.
    Server,
    /// The history and this release do not fit together. Acts: who deploys.
    History,
    /// The description does not fit the table. Acts: the author of the guard.
    Description,
    /// Rows break a rule, or a rule keeps rows as they are. Acts: the owner of the data.
    Rows,
    /// The call would destroy or replace something it was not allowed to. Allow it, or rename what is there.
    Refused,
    /// The artifact cannot be written, or may not be used here.
    Artifact,
    /// An answer of the server that is not expected here: see the SQLSTATE.
    Internal,
}

impl OpsError {
    /// The kind: enough to decide who has to act.
    #[must_use]
    pub const fn kind(&self) -> OpsErrorKind {
        use OpsErrorKind as Kind;
        match self {
            Self::Locked { .. }
            | Self::Contended { .. }
            | Self::RolloutRunning { .. }
            | Self::Unavailable => Kind::Busy,
            Self::MissingSchema { .. }
            | Self::MissingExtension
            | Self::PermissionDenied
            | Self::UnknownRole { .. }
            | Self::ReadOnlyServer
            | Self::UnsupportedServer { .. } => Kind::Server,
            Self::ChecksumChanged { .. }
            | Self::NewerSchema { .. }
            | Self::HistoryGap { .. }
            | Self::RolledBack { .. } => Kind::History,
            Self::MissingTable { .. }
            | Self::MissingColumn { .. }
            | Self::NoPrimaryKey { .. }
            | Self::UnsupportedName { .. }
            | Self::UnsupportedType { .. }
            | Self::Unevaluable { .. }
            | Self::PartitionedTable { .. }
            | Self::NoTenant { .. } => Kind::Description,
            Self::StillViolated { .. }
            | Self::RowRefused { .. }
            | Self::RowsKept { .. }
            | Self::Referenced { .. } => Kind::Rows,
            Self::DataWouldBeLost { .. }
            | Self::NameTaken { .. }
            | Self::InUse { .. }
            | Self::RowsMarked { .. }
            | Self::ScratchTaken { .. } => Kind::Refused,
            Self::Artifact(_) => Kind::Artifact,
            Self::Database { .. } => Kind::Internal,
        }
    }

    /// A stable name for scripts and metrics; never translated, never changed.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "locked",
            Self::Contended { .. } => "contended",
            Self::ChecksumChanged { .. } => "checksum_changed",
            Self::NewerSchema { .. } => "newer_schema",
            Self::HistoryGap { .. } => "history_gap",
            Self::DataWouldBeLost { .. } => "data_would_be_lost",
            Self::MissingSchema { .. } => "missing_schema",
            Self::MissingExtension => "missing_extension",
            Self::PermissionDenied => "permission_denied",
            Self::UnknownRole { .. } => "unknown_role",
            Self::ReadOnlyServer => "read_only_server",
            Self::MissingTable { .. } => "missing_table",
            Self::MissingColumn { .. } => "missing_column",
            Self::NoPrimaryKey { .. } => "no_primary_key",
            Self::UnsupportedName { .. } => "unsupported_name",
            Self::StillViolated { .. } => "still_violated",
            Self::Unevaluable { .. } => "unevaluable",
            Self::RolloutRunning { .. } => "rollout_running",
            Self::NameTaken { .. } => "name_taken",
            Self::InUse { .. } => "in_use",
            Self::PartitionedTable { .. } => "partitioned_table",
            Self::UnsupportedType { .. } => "unsupported_type",
            Self::Artifact(_) => "artifact",
            Self::RowRefused { .. } => "row_refused",
            Self::RowsKept { .. } => "rows_kept",
            Self::Referenced { .. } => "referenced",
            Self::RowsMarked { .. } => "rows_marked",
            Self::NoTenant { .. } => "no_tenant",
            Self::ScratchTaken { .. } => "scratch_taken",
            Self::UnsupportedServer { .. } => "unsupported_server",
            Self::RolledBack { .. } => "rolled_back",
            Self::Unavailable => "unavailable",
            Self::Database { .. } => "database",
        }
    }
}
