#![doc = include_str!("../README.md")]

// In reading order: values, then the way to the database, then the nouns; beside them work on tables in use. Arrows
// point down only, which `tests/it/structure.rs` holds: value → constraint, violation, failure, error → executor, sql,
// write → nouns; ops → rollout → migrate.
//
// To add a noun:
//  1. `src/<noun>/{mod,model,request,repository}.rs`; `repository!` declares the repository and its accessor side by side.
//  2. `src/sql/<noun>/<verb>.sql`, one statement a file, its name on the first line and its parameters labelled.
//  3. `sql.rs`: one line a statement, with the names and types of its parameters.
//  4. `migrate/migrations/NNNN_<name>.{up,down}.sql`, listed in `migrate/migration.rs`; `SCHEMA_VERSION` in `schema.rs`.
//  5. `constraint.rs`: every constraint, what its violation means, and its rule.
//  6. `lib.rs`: the module and what it exports. `tests/it/structure.rs`: its floor. CHANGELOG, under "Schema".
//  7. `tests/it/migrate/frozen.rs`: the digests. `UPDATE_CATALOG=1 cargo test committed_definitions` writes `catalog.txt`.
//  8. `tests/it/errors/constraints.rs`, `tests/rollout/audit_rules.rs`: how each constraint is provoked.
//  9. `tests/it/<noun>/`, and one line a statement in the tables of `tests/it/calls`.
// 10. README, "Rights": what is derived from the statements; `grants/needs.rs` says so when the page differs.
mod value;

mod constraint;
pub mod constraint_map;
mod error;
mod executor;
mod failure;
mod handle;
pub mod metrics;
mod schema;
mod serde_seconds;
mod sql;
pub mod violation;
mod write;

pub mod allocation;
pub mod availability_cache;
pub mod booking;
pub mod confirmation;
pub mod hold;
pub mod offer;
pub mod outbox;
pub mod resource;
pub mod retention;

pub mod migrate;
mod ops;
pub mod rollout;

// Each type has one path: here, or in the module whose page explains it.
pub use constraint::{Constraint, ConstraintKind};
pub use error::{Cause, Error, ErrorKind, Result, Retry};
pub use executor::Executor;
pub use handle::Slotkeeper;
pub use schema::{InvalidSchemaName, SchemaName};
pub use value::{
    Actor, AllocationId, BlackoutId, BookingId, Buffers, Claim, ClaimId, ConfirmationId, CustomerRef,
    EventId, HoldId, HoldPolicy, IdempotencyKey, InvalidInput, JsonObject, Pair, Price, Reference,
    ResourceId, ResourceKind, ResourceName, TenantId, TimeZoneName, Ttl, Window,
};

// These appear in signatures: use the same versions.
pub use {chrono, deadpool_postgres, tokio_postgres, uuid};
