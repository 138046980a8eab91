//! What can go wrong, in the caller's terms.

mod cause;
mod kind;

pub use cause::Cause;
pub use kind::{ErrorKind, Retry};

use crate::{
    failure::Failure,
    value::{Blocker, InvalidInput, ResourceId},
    violation::Violation,
};
use chrono::{DateTime, Utc};

/// The result of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A call that changed nothing and recorded nothing, or, for [`Error::OutcomeUnknown`] alone, may have.
///
/// No message shows SQL, a name from the database, a value, or anything of another party; neither does `Debug`, which
/// shows the fields below and so, for a conflict, the ids and times of what is in the way. The driver's error is not
/// kept, because its text carries all of these; [`Error::sqlstate`] tells an operator the code.
///
/// "Nothing" has one exception, which changes no answer: a claim that lost a race may have swept expired holds that
/// were in its way; see [`hold`](crate::hold#what-a-refused-claim-leaves-behind).
///
/// Refusals that *are* recorded, such as a confirm of an expired hold, are no errors: see
/// [`Outcome`](crate::confirmation::Outcome).
///
/// After a refusal (of the kinds `Conflict`, `NotFound`, `Expired` and `InvalidInput`) an open transaction of the
/// caller's is still usable. After any other error roll it back: the server has failed it wherever the statement ran
/// without a savepoint, and then answers everything else with [`Error::TransactionAborted`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value broke its rule. Nothing was sent.
    #[error(transparent)]
    InvalidInput(#[from] InvalidInput),
    /// The place is taken: by whom is listed, at most 64 rows. For a hold, a replacement or a blackout.
    #[error("the window is not free")]
    Conflict {
        /// What stands in the way.
        blockers: Vec<Blocker>,
    },
    /// These resources do not exist in this tenant, or are not active.
    #[error("a resource does not exist or is not active")]
    ResourceNotFound {
        /// Of those asked for.
        resources: Vec<ResourceId>,
    },
    /// There is no such thing in this tenant, or, for a hold, it is another actor's.
    #[error("the {what} does not exist")]
    NotFound {
        /// `hold`, `booking`, `hold or pending booking`, `resource` or `blackout`.
        what: &'static str,
    },
    /// The hold's time is over.
    #[error("the hold has expired")]
    HoldExpired,
    /// The hold was released or replaced.
    #[error("the hold was released")]
    HoldReleased,
    /// The hold has become a booking.
    #[error("the hold is already a booking")]
    HoldConsumed,
    /// The extension goes beyond the hold's longest life.
    #[error("the hold cannot be extended that far")]
    HoldTooLong {
        /// The last instant it may be extended to.
        latest: DateTime<Utc>,
    },
    /// The actor has as many active holds as the policy allows.
    #[error("the actor has too many active holds")]
    TooManyHolds {
        /// The policy's limit.
        limit: u32,
    },
    /// The key or id was used before, with another request, or, if the field is `operation`, for something else: one id
    /// is one thing. A hold's TTL is not part of the request: placed again with another, the first hold is returned as
    /// it is.
    #[error("the key was already used with another {field}")]
    KeyReused {
        /// The first part of the request that differs.
        field: &'static str,
    },
    /// The reference belongs to another row of the same kind in this tenant.
    #[error("the reference is already in use")]
    ReferenceTaken,
    /// A newer version of the library wrote it in a state that this one does not know. Nothing was changed: deploy that
    /// version everywhere.
    #[error("the {what} is in a state that only a newer version of slotkeeper knows")]
    UnknownState {
        /// `hold` or `booking`.
        what: &'static str,
    },
    /// Somebody changed the row since it was read.
    #[error("the revision is not current")]
    StaleRevision {
        /// The current revision.
        found: i32,
    },
    /// Nobody decided in time: locks, timeouts, a full server, or four lost races in a row. Says nothing about whether
    /// the window is free. Inside a transaction: roll back and repeat the whole of it.
    #[error("the database is busy")]
    Busy(#[source] Cause),
    /// An earlier statement of the caller's transaction had failed. Roll back; that statement's error is the cause.
    #[error("the transaction had already failed")]
    TransactionAborted,
    /// No connection, or it broke before anything could be decided.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Cause),
    /// The connection broke after the deciding bytes had left. Repeat the call with the same key or id: the repeat
    /// settles it. A read cannot.
    #[error("the outcome is unknown; repeat the call")]
    OutcomeUnknown(#[source] Cause),
    /// Connected to a standby or to a read-only session.
    #[error("the database accepts no writes")]
    ReadOnly,
    /// The schema, the role's rights or the engine are not what the library needs.
    #[error("the database is not set up for slotkeeper")]
    Misconfigured(#[source] Cause),
    /// A constraint the library does not know refused the write: it must be one the host added. Map it with
    /// [`ConstraintMap`](crate::constraint_map::ConstraintMap), or remove it.
    #[error("a constraint unknown to slotkeeper refused the write")]
    UnknownConstraint(Violation),
    /// A defect of the library or of the server.
    #[error("internal error")]
    Internal(#[source] Cause),
}

impl Error {
    pub(crate) fn no_connection(error: &deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Timeout(_) => Self::Busy(Cause::NONE),
            deadpool_postgres::PoolError::Backend(error) => match Failure::classify(error) {
                Failure::TooBusy => Self::Busy(Cause::of(error)),
                Failure::Misconfigured => Self::Misconfigured(Cause::of(error)),
                _ => Self::Unavailable(Cause::of(error)),
            },
            _ => Self::Unavailable(Cause::NONE),
        }
    }

    /// The server's code, where there was one.
    #[must_use]
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Busy(cause)
            | Self::Unavailable(cause)
            | Self::OutcomeUnknown(cause)
            | Self::Misconfigured(cause)
            | Self::Internal(cause) => cause.sqlstate(),
            Self::UnknownConstraint(violation) => Some(violation.sqlstate().code()),
            _ => None,
        }
    }
}
