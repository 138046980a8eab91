//! Retention: what is over leaves the tables that decide, in small batches, while everybody works.
//!
//! | call | takes | once it is over for | never |
//! |---|---|---|---|
//! | `prune_holds` | holds | 30 days | one that still occupies something; [sweep](crate::hold::HoldRepository::sweep) first |
//! | `archive_allocations` | allocations, into `allocations_archive` | 90 days | one of a claim that occupies anything later, of a hold that is kept, or waiting for repair |
//! | `prune_bookings` | bookings | only if the policy says so | one whose allocations are not archived |
//! | `prune_confirmations` | records of decisions, with their keys | 30 days | one that the history of a kept booking cites |
//!
//! [`RetentionRepository::run`] does all of them in this order, and forgets old [offers](crate::offer) too. Ages are
//! judged by the database's clock. The outbox is left alone: its relay empties it.
//!
//! # Rows that somebody refers to
//!
//! A host may have foreign keys to our rows. A row that one of them refers to stays: the batch that met it is halved
//! until the row stands alone, its id is [told](Retained::set_aside), and the rest goes on. So is a row whose id the
//! archive has already. A key declared `ON DELETE CASCADE` or `SET NULL` says itself that the host's row gives way, and
//! it does.
//!
//! # What the role needs
//!
//! `DELETE` on `holds`, `allocations`, `bookings`, `confirmations` and `offered_slots`, `INSERT` on
//! `allocations_archive`, and what it takes to lock and read. It is a duty of its own, which the service's role has
//! only if it is given: [`Duty::Retention`](crate::migrate::Duty::Retention) of
//! [`Migrator::grants`](crate::migrate::Migrator::grants).
//!
//! # What is promised afterwards
//!
//! - A key is answered from its record as long as the record is kept: 30 days unless set, and for a decision that changed a
//!   booking as long as the booking. After that the key is as good as new: a repeat would decide *again*. So with the id of
//!   a hold or a blackout: repeats end long before.
//! - Windows that were archived are not guarded any more: something could be booked over them, in the past.
//! - No live window is touched, and nothing waits for a batch longer than its statement runs: a batch itself waits for
//!   nobody, it leaves rows that are in use to the next one.
//!
//! | call | round trips | in the caller's transaction |
//! |---|---|---|
//! | each batch | 1; with rows that somebody refers to, about 2 log₂ of the limit for each | under a savepoint |

mod model;
mod policy;
mod repository;

pub use model::{Retained, RetentionBatch, RetentionReport};
pub use policy::{Age, RetentionPolicy};
pub use repository::RetentionRepository;
