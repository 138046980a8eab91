//! The availability cache: what was last computed for a tenant, one row for each source.
//!
//! Computing availability takes the host a while, and the answer is good for a while. This keeps the answer, tells by
//! the database's clock whether it is still fresh, and keeps three promises:
//!
//! - refreshing one source never overwrites the other;
//! - a computation that began earlier never overwrites one that began later, in whatever order they end;
//! - an error never renews freshness: it is counted beside the body, which grows stale as before.
//!
//! The round: `find`; if what it finds is not fresh, compute; then `refresh` with the instant that `find` answered at,
//! or `fail` with a code. A change that makes the answer wrong calls `invalidate`: whatever was begun before is stale
//! then, even if it is still being computed.
//!
//! | call | round trips | in the caller's transaction |
//! |---|---|---|
//! | `refresh`, `fail`, `invalidate` | 1 | no savepoint |
//! | `find` | 1 | a plain read |
//!
//! A cache decides nothing: what it shows as free is only claimed by a hold or a booking.

mod model;
mod repository;

pub use model::{Availability, CacheBody, CacheState, FailureCode, MaxAge, RefreshAvailability};
pub use repository::AvailabilityCacheRepository;
