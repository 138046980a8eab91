//! Confirmations: the record of every decision, refusals too.
//!
//! Two channels: `Ok(`[`Decision`]`)` means *recorded*, in the same transaction as everything it changed; `Err` means zero
//! rows changed and nothing recorded. One key has one answer for as long as its record is kept: repeating a call with it
//! returns the record, without looking at the hold again. A refused key stays refused; to try again, use a new one.
//!
//! Outcomes are decided in this order, the first that applies:
//!
//! | outcome | when | channel |
//! |---|---|---|
//! | key reused | the key was used with another request | [`Error::KeyReused`](crate::Error::KeyReused) |
//! | replayed | the key was used with this request | the recorded outcome, [`Decision::is_replay`] |
//! | not found | no such hold, booking or active resource in this tenant | `Err` |
//! | [`Outcome::StateMismatch`] | the booking's status is not the expected one | recorded |
//! | [`Outcome::HoldConsumed`] | the hold became a booking under another key | recorded |
//! | [`Outcome::HoldReleased`] | the hold was released or replaced | recorded |
//! | [`Outcome::WindowMismatch`] | the hold's or pending booking's window is not the one asked for | recorded |
//! | [`Outcome::StaleRevision`] | the booking was changed since it was read | recorded |
//! | [`Outcome::HoldExpired`] | its time was over when the statement began, or its place was taken over | recorded |
//! | [`Outcome::Conflict`] | somebody else occupies a place | recorded |
//! | [`Outcome::Confirmed`], [`Outcome::Moved`], [`Outcome::Cancelled`], [`Outcome::Erased`] | done | recorded |
//!
//! Under SERIALIZABLE a recorded refusal has read what others write, so the caller's COMMIT can still fail with 40001; then
//! neither the refusal nor its record is there, and the whole transaction is repeated.
//!
//! "Not found" and "key reused" are not recorded: the first so that a caller's typing error, or another tenant's id, does
//! not use up a key; the second because the key already has its record.

mod decision;
mod identity;
mod integrity;
mod repository;
mod snapshot;

pub use decision::{Confirmation, Decision, Operation, Outcome};
pub(crate) use decision::{MissingNoun, decision_from_row};
pub use identity::RecordedRequest;
pub(crate) use identity::{Identity, digest};
pub(crate) use integrity::is_consistent;
pub use repository::ConfirmationRepository;
pub use snapshot::{
    AllocationSnapshot, BookingSnapshot, HoldSnapshot, ResourceSnapshot, Snapshot, SnapshotError,
};
