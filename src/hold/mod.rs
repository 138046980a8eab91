//! Holds: a claim with a TTL.
//!
//! ```text
//! active ── confirm ──► consumed (a booking)
//!    ├───── release ──► released
//!    ├───── replace ──► replaced (by another hold of the same actor)
//!    └───── its time is over: expired. Derived from the database's clock, never stored.
//! ```
//!
//! An expired hold never blocks: the next claim takes its places over, whether a sweeper runs or not (sweeping saves that
//! claim a round trip). A hold whose place was taken over can never be confirmed; one whose place is still free can be, on
//! request ([`ConfirmHold::if_still_free`](crate::booking::ConfirmHold::if_still_free)).
//!
//! Expiry is judged at the instant a statement begins. A confirm that arrived in time and then waited for a lock counts
//! as in time, even if the hold's time ran out meanwhile, unless somebody took the place over: then it is
//! [`HoldExpired`](crate::confirmation::Outcome::HoldExpired).
//!
//! There is no call to ask whether a hold is still good: between the question and the next write it may end. Confirm,
//! or extend, and read the answer.
//!
//! | call | round trips | in the caller's transaction |
//! |---|---|---|
//! | `place`, one resource, no limit per actor, no reference | 1; 2 after a lost race | no savepoint; in a second flight one |
//! | the same over expired rows | 2 | a savepoint in the second flight |
//! | `place`, otherwise; `replace` | 1; 2 after a lost race | a savepoint in the same flight |
//! | `extend`, `release`, `sweep` | 1 | no savepoint |
//! | `find` | 1 | a plain read |
//!
//! Placing again with the same id answers with the first hold and costs one more round trip, to read it.
//!
//! A claim of one resource claims first, and looks only if that came to nothing: then it names who is in the way. Where the
//! statement has no answer (expired rows are in the way, somebody who committed meanwhile has the place, the resource is
//! not sold) it writes nothing, and the statement for any number of resources follows: it locks the resource before it
//! takes rows over, because two claims that each take several over could wait for each other.
//!
//! # What a refused claim leaves behind
//!
//! Nothing, with one exception. A claim releases the rows of expired holds in its way and then claims the place; if
//! somebody who committed meanwhile has it, the claim is repeated, meets them and is refused, but the expired rows stay
//! released. That is what a sweep would have done, and it changes no answer: those holds stay expired, and
//! [`if_still_free`](crate::booking::ConfirmHold::if_still_free) claims their places anew as long as nobody else has
//! them. It can happen to `place`, [`book`](crate::booking::BookingRepository::book) and
//! [`block`](crate::allocation::AllocationRepository::block); `replace`, `move_to` and `confirm` roll back whole.

mod model;
mod repository;
mod request;

pub use model::{Hold, HoldStatus, Swept};
pub use repository::HoldRepository;
pub use request::{ExtendHold, PlaceHold, ReleaseHold, ReplaceHold, SweepHolds};
