//! What a recorded call came to.

use super::{Identity, RecordedRequest, Snapshot, SnapshotError};
use crate::{
    error::{Cause, Error, Result},
    value::{Blocker, BookingId, BookingStatus, ConfirmationId, IdempotencyKey, Window},
    write::missing,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::Row;

/// A call whose decision is recorded under its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// A hold becomes a booking.
    Confirm,
    /// A place is claimed and confirmed at once.
    Book,
    /// A booking gives up its place.
    Cancel,
    /// A booking exchanges its place.
    Move,
    /// A person is cleared.
    Erase,
    /// Written by a newer version of the library, which this one cannot tell: it reads as this and is never written.
    #[serde(other)]
    Unknown,
}

impl Operation {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Book => "book",
            Self::Cancel => "cancel",
            Self::Move => "move",
            Self::Erase => "erase",
            Self::Unknown => "unknown",
        }
    }

    fn parse(text: &str) -> Self {
        let known = [Self::Confirm, Self::Book, Self::Cancel, Self::Move, Self::Erase];
        known.into_iter().find(|operation| operation.as_str() == text).unwrap_or(Self::Unknown)
    }
}

/// What was decided. In the order of the module's table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The booking exists and holds its places.
    Confirmed,
    /// The booking holds its new places.
    Moved,
    /// The booking holds no place any more.
    Cancelled,
    /// The person is cleared.
    Erased,
    /// Somebody else occupies a place.
    Conflict {
        /// Who, at most 64. Redact before showing it to a customer.
        blockers: Vec<Blocker>,
    },
    /// The hold's time was over.
    HoldExpired,
    /// The hold was released or replaced.
    HoldReleased,
    /// The hold became a booking under another key.
    HoldConsumed,
    /// The window asked for is not the one on record.
    WindowMismatch {
        /// The hold's, or the pending booking's.
        expected: Window,
        /// The one asked for, where the request named one.
        actual: Option<Window>,
    },
    /// The booking's status is not the one the call needs.
    StateMismatch {
        /// The status it needs; `None`: the booking must not exist.
        expected: Option<BookingStatus>,
        /// The status it has.
        actual: BookingStatus,
    },
    /// The booking was changed since it was read.
    StaleRevision {
        /// The revision the caller read.
        expected: i32,
        /// The current one.
        actual: i32,
    },
    /// Decided by a newer version of the library, in a way that this one cannot tell. A refusal, as far as this one can
    /// say: read [`Confirmation::outcome`](struct@Confirmation) as text.
    Unknown,
}

impl Outcome {
    /// A stable name for APIs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Moved => "moved",
            Self::Cancelled => "cancelled",
            Self::Erased => "erased",
            Self::Conflict { .. } => "conflict",
            Self::HoldExpired => "hold_expired",
            Self::HoldReleased => "hold_released",
            Self::HoldConsumed => "hold_consumed",
            Self::WindowMismatch { .. } => "window_mismatch",
            Self::StateMismatch { .. } => "state_mismatch",
            Self::StaleRevision { .. } => "stale_revision",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the call did what was asked.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Confirmed | Self::Moved | Self::Cancelled | Self::Erased)
    }

    /// The outcome a record tells of.
    pub(super) fn read(recorded: &str, snapshot: &Snapshot) -> Option<Self> {
        let request = &snapshot.request;
        Some(match recorded {
            "confirmed" => Self::Confirmed,
            "moved" => Self::Moved,
            "cancelled" => Self::Cancelled,
            "erased" => Self::Erased,
            "conflict" => Self::Conflict { blockers: snapshot.blockers.clone() },
            "hold_expired" => Self::HoldExpired,
            "hold_released" => Self::HoldReleased,
            "hold_consumed" => Self::HoldConsumed,
            "window_mismatch" => Self::WindowMismatch {
                expected: recorded_window(snapshot)?,
                actual: request.window.or_else(|| snapshot.hold.as_ref().map(|hold| hold.window)),
            },
            "state_mismatch" => Self::StateMismatch {
                expected: expected_status(snapshot.operation, request),
                actual: snapshot.booking.as_ref()?.status,
            },
            "stale_revision" => Self::StaleRevision {
                expected: request.revision?,
                actual: snapshot.booking.as_ref()?.revision,
            },
            _ => Self::Unknown,
        })
    }
}

/// The window that differed: the hold's if the request named another, else the pending booking's.
fn recorded_window(snapshot: &Snapshot) -> Option<Window> {
    let hold = snapshot.hold.as_ref().map(|hold| hold.window);
    let booking = snapshot.booking.as_ref().map(|booking| booking.window);
    match (hold, snapshot.request.window) {
        (Some(hold), Some(asked)) if hold != asked => Some(hold),
        (hold, _) => booking.or(hold),
    }
}

fn expected_status(operation: Operation, request: &RecordedRequest) -> Option<BookingStatus> {
    match operation {
        Operation::Move => Some(BookingStatus::Confirmed),
        _ if request.pending == Some(true) => Some(BookingStatus::Pending),
        _ => None,
    }
}

/// A recorded answer.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a decision may be a refusal"]
#[non_exhaustive]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// The record's id.
    pub confirmation: ConfirmationId,
    /// The booking that was made, changed or looked at.
    pub booking: Option<BookingId>,
    /// When, by the database's clock.
    pub decided_at: DateTime<Utc>,
    /// What the decision saw and did.
    pub snapshot: Snapshot,
    replay: bool,
}

impl Decision {
    /// Whether this is the record of an earlier call with the same key.
    #[must_use]
    pub const fn is_replay(&self) -> bool {
        self.replay
    }

    /// The booking if the call did what was asked, else the outcome.
    ///
    /// # Errors
    /// The outcome, if it is a refusal or has no booking.
    pub fn into_result(self) -> Result<BookingId, Outcome> {
        match (self.outcome.is_success(), self.booking) {
            (true, Some(booking)) => Ok(booking),
            _ => Err(self.outcome),
        }
    }
}

/// A stored record.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Confirmation {
    /// Its id.
    pub id: ConfirmationId,
    /// What was asked.
    pub operation: Operation,
    /// Under which key.
    pub key: IdempotencyKey,
    /// The outcome's stable name; see [`Outcome::code`].
    pub outcome: String,
    /// The booking that was made, changed or looked at.
    pub booking: Option<BookingId>,
    /// When, by the database's clock.
    pub decided_at: DateTime<Utc>,
    /// What the decision saw and did.
    pub snapshot: Result<Snapshot, SnapshotError>,
}

impl Confirmation {
    pub(crate) fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id"),
            operation: Operation::parse(row.get("operation")),
            key: row.get("key"),
            outcome: row.get("outcome"),
            booking: row.get("booking_id"),
            decided_at: row.get("decided_at"),
            snapshot: Snapshot::read(row.get("snapshot")),
        })
    }

    /// The outcome, typed.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.snapshot.as_ref().ok().and_then(|snapshot| Outcome::read(&self.outcome, snapshot))
    }
}

/// Which noun [`Error::NotFound`] names when a statement answers `not_found`.
#[derive(Clone, Copy)]
pub(crate) enum MissingNoun {
    /// A noun of this name.
    Is(&'static str),
    /// A resource, or, if all of those are there, the noun.
    ResourceOr(&'static str),
}

/// Reads the row every recorded statement answers with.
pub(crate) fn decision_from_row(row: &Row, identity: &Identity, not_found: MissingNoun) -> Result<Decision> {
    let replay = match row.get("outcome") {
        "recorded" => false,
        "replayed" => true,
        "key_reused" => return Err(Error::KeyReused { field: reused(row, identity) }),
        "unknown_hold" => return Err(Error::UnknownState { what: "hold" }),
        "unknown_booking" => return Err(Error::UnknownState { what: "booking" }),
        _ => return Err(absent(row, not_found)),
    };
    let defect = || Error::Internal(Cause::NONE);
    let snapshot = Snapshot::read(row.get("snapshot")).map_err(|_| defect())?;
    let outcome = Outcome::read(row.get("recorded"), &snapshot).ok_or_else(defect)?;
    Ok(Decision {
        outcome,
        confirmation: row.get("id"),
        booking: row.get("booking_id"),
        decided_at: row.get("decided_at"),
        snapshot,
        replay,
    })
}

fn reused(row: &Row, identity: &Identity) -> &'static str {
    let raw: Value = row.get("snapshot");
    let first = raw.get("request").and_then(|request| RecordedRequest::deserialize(request).ok());
    first.map_or("request", |first| identity.request.first_difference(&first))
}

fn absent(row: &Row, not_found: MissingNoun) -> Error {
    match not_found {
        MissingNoun::Is(what) => Error::NotFound { what },
        MissingNoun::ResourceOr(what) => match missing(row) {
            Error::ResourceNotFound { resources } if resources.is_empty() => Error::NotFound { what },
            error => error,
        },
    }
}
