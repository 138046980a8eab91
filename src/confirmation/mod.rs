//! Confirmations: the record of every decision, refusals too.
//!
//! Two channels: `Ok(`[`Decision`]`)` means *recorded*, in the same transaction as everything it changed; `Err` means
//! zero rows changed and nothing recorded. One key has one answer for as long as its record is kept: repeating a call
//! with it returns the record, without looking at the hold again. A refused key stays refused; to try again, use a new
//! one.
//!
//! Outcomes are decided in this order, the first that applies:
//!
//! | outcome | when | channel | in the record |
//! |---|---|---|---|
//! | key reused | the key was used with another request | [`Error::KeyReused`](crate::Error::KeyReused) | |
//! | replayed | the key was used with this request | the recorded outcome, [`Decision::is_replay`] | |
//! | not found | no such hold, booking or active resource in this tenant | `Err` | |
//! | [`Outcome::StateMismatch`] | the booking's status is not the expected one | recorded | `booking.status`, or that there is a `booking` |
//! | [`Outcome::HoldConsumed`] | the hold became a booking under another key | recorded | `hold.status` is `consumed` |
//! | [`Outcome::HoldReleased`] | the hold was released or replaced | recorded | `hold.status` is `released` or `replaced` |
//! | [`Outcome::WindowMismatch`] | the hold's or pending booking's window is not the one asked for | recorded | `hold.window`, `booking.window` and `request.window` are not one |
//! | [`Outcome::StaleRevision`] | the booking was changed since it was read | recorded | `booking.revision` is not `request.revision` |
//! | [`Outcome::HoldExpired`] | its time was over when the statement began, or its place was taken over | recorded | not `request.if_still_free`, and `hold.expires_at` is not past `at` or there are not `hold.requested` `allocations` |
//! | [`Outcome::Conflict`] | somebody else occupies a place | recorded | there are `blockers` |
//! | [`Outcome::Confirmed`], [`Outcome::Moved`], [`Outcome::Cancelled`], [`Outcome::Erased`] | done | recorded | none of these, by `operation` |
//!
//! The last column is how [`Migrator::audit`](crate::migrate::Migrator::audit) decides a record once more, and finds an
//! outcome that was changed.
//!
//! Under SERIALIZABLE a recorded refusal has read what others write and writes what others read, its record, so the
//! caller's COMMIT can still fail with 40001; then neither the refusal nor its record is there, and the whole transaction
//! is repeated.
//!
//! "Not found" and "key reused" are not recorded: the first so that a caller's typing error, or another tenant's id,
//! does not use up a key; the second because the key already has its record.

mod decision;
mod identity;
mod integrity;
mod operation;
mod outcome;
mod record;
mod repository;
mod snapshot;

pub use decision::Decision;
pub(crate) use decision::{MissingNoun, decision_from_row};
pub use identity::RecordedRequest;
pub(crate) use identity::{Identity, digest};
pub(crate) use integrity::{Integrity, integrity};
pub use operation::Operation;
pub use outcome::Outcome;
pub use record::Confirmation;
pub use repository::ConfirmationRepository;
pub use snapshot::{
    AllocationSnapshot, BookingSnapshot, HoldSnapshot, ResourceSnapshot, Snapshot, SnapshotError,
};
