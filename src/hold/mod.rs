//! Holds: a claim with a TTL.
//!
//! ```text
//! active ── confirm ──► consumed (a booking)
//!    ├───── release ──► released
//!    ├───── replace ──► replaced (by another hold of the same actor)
//!    └───── its time is over: expired. Derived from the database's clock, never stored.
//! ```
//!
//! An expired hold never blocks: the next claim takes its places over in the same statement, whether a sweeper runs or
//! not. A hold whose place was taken over can never be confirmed; one whose place is still free can be, on request
//! ([`ConfirmHold::if_still_free`](crate::booking::ConfirmHold::if_still_free)).
//!
//! There is no call to ask whether a hold is still good: between the question and the next write it may end. Confirm, or
//! extend, and read the answer.
//!
//! | call | round trips | in the caller's transaction |
//! |---|---|---|
//! | `place`, one resource, no limit per actor, no reference | 1; 2 after a lost race | no savepoint |
//! | `place`, otherwise; `replace` | 1; 2 after a lost race | a savepoint in the same flight |
//! | `extend`, `release`, `sweep` | 1 | no savepoint |
//! | `find` | 1 | a plain read |
//!
//! Placing again with the same id answers with the first hold and costs one more round trip, to read it.

mod model;
mod repository;

pub use model::{ExtendHold, Hold, HoldStatus, PlaceHold, ReleaseHold, ReplaceHold, SweepHolds, Swept};
pub use repository::HoldRepository;
