//! What a recorded call came to.

use super::{Operation, RecordedRequest, Snapshot};
use crate::value::{Blocker, BookingStatus, Window};

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
    /// say: read [`Confirmation::outcome`](struct@super::Confirmation) as text.
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
