//! What a caller does about an error: its kind, its stable name, and whether to repeat the call.

use super::Error;

/// The kind of an error: enough to choose a protocol's status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Somebody else has it. HTTP 409.
    Conflict,
    /// It does not exist for this caller. HTTP 404.
    NotFound,
    /// Its time is over. HTTP 410.
    Expired,
    /// The request can never succeed. HTTP 422.
    InvalidInput,
    /// Not now. HTTP 503.
    Busy,
    /// It may have happened. Repeat with the same key.
    OutcomeUnknown,
    /// An operator must act. HTTP 500.
    Misconfigured,
    /// A defect. HTTP 500.
    Internal,
}

/// Whether repeating the identical call can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// At once, with the same key or id.
    Now,
    /// After a pause.
    After,
    /// Never: the answer will be the same.
    Never,
}

impl Error {
    /// The kind, for a protocol's status code.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidInput(_) | Self::HoldTooLong { .. } => ErrorKind::InvalidInput,
            Self::Conflict { .. }
            | Self::HoldConsumed
            | Self::TooManyHolds { .. }
            | Self::KeyReused { .. }
            | Self::ReferenceTaken
            | Self::StaleRevision { .. } => ErrorKind::Conflict,
            Self::ResourceNotFound { .. } | Self::NotFound { .. } => ErrorKind::NotFound,
            Self::HoldExpired | Self::HoldReleased => ErrorKind::Expired,
            Self::Busy(_) | Self::Unavailable(_) | Self::TransactionAborted => ErrorKind::Busy,
            Self::OutcomeUnknown(_) => ErrorKind::OutcomeUnknown,
            Self::ReadOnly
            | Self::Misconfigured(_)
            | Self::UnknownConstraint(_)
            | Self::UnknownState { .. } => ErrorKind::Misconfigured,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    /// A stable name for APIs and metrics; never translated, never changed.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidInput(_) => "invalid_input",
            Self::Conflict { .. } => "conflict",
            Self::ResourceNotFound { .. } => "resource_not_found",
            Self::NotFound { .. } => "not_found",
            Self::HoldExpired => "hold_expired",
            Self::HoldReleased => "hold_released",
            Self::HoldConsumed => "hold_consumed",
            Self::HoldTooLong { .. } => "hold_too_long",
            Self::TooManyHolds { .. } => "too_many_holds",
            Self::KeyReused { .. } => "key_reused",
            Self::ReferenceTaken => "reference_taken",
            Self::StaleRevision { .. } => "stale_revision",
            Self::UnknownState { .. } => "unknown_state",
            Self::Busy(_) => "busy",
            Self::TransactionAborted => "transaction_aborted",
            Self::Unavailable(_) => "unavailable",
            Self::OutcomeUnknown(_) => "outcome_unknown",
            Self::ReadOnly => "read_only",
            Self::Misconfigured(_) => "misconfigured",
            Self::UnknownConstraint(_) => "unknown_constraint",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether repeating the identical call can help. Inside a transaction: the whole transaction.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::OutcomeUnknown(_) => Retry::Now,
            Self::Busy(_) | Self::Unavailable(_) | Self::TransactionAborted | Self::ReadOnly => Retry::After,
            _ => Retry::Never,
        }
    }
}
