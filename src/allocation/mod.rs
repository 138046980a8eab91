//! Allocations: one resource × one window, the only thing that can be in anybody's way.
//!
//! Holds, bookings, blackouts and busy external events are rows of one table under one exclusion constraint:
//!
//! ```text
//! EXCLUDE USING gist (resource_id WITH =, during WITH &&, tenant_id WITH =) WHERE (released_at IS NULL AND NOT shadow)
//! ```
//!
//! so a hold and a booking can never overlap, and confirming a hold moves no window. The constraint is not deferrable:
//! a deferrable one makes `ON CONFLICT` fail, moves the error to the caller's COMMIT, and can be switched off like a
//! trigger.
//!
//! Reads here say what is so now. They explain; they never permit: between a read and a write anything may happen, and
//! the write looks again.
//!
//! | call | round trips | in the caller's transaction |
//! |---|---|---|
//! | `is_free`, `blockers`, `list_by_booking`, `list_by_resource`, `free_windows` | 1 | a plain read |
//! | `block` | 1; 2 after a lost race | under a savepoint sent in the same flight |
//! | `unblock` | 1 | no savepoint: it cannot fail on a refusal |

mod model;
mod repository;

pub use crate::value::{AllocationKind, Blocker};
pub use model::{Allocation, Block};
pub use repository::AllocationRepository;
