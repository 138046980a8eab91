#![doc = include_str!("../README.md")]

// In reading order: values, then the way to the database, then the nouns.
mod blocker;
pub mod claim;
pub mod ids;
pub mod invalid;
pub mod json;
pub mod policy;
pub mod price;
mod status;
pub mod text;
pub mod window;

pub mod constraint;
pub mod constraint_map;
pub mod error;
pub mod executor;
mod failure;
mod handle;
pub mod metrics;
pub mod schema;
mod seconds;
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

pub use claim::{Buffers, Claim, Pair};
pub use constraint::{Constraint, ConstraintKind};
pub use constraint_map::ConstraintMap;
pub use error::{Error, ErrorKind, Result, Retry};
pub use executor::Executor;
pub use handle::Slotkeeper;
pub use ids::{
    AllocationId, BlackoutId, BookingId, ClaimId, ConfirmationId, EventId, HoldId, ResourceId, TenantId,
};
pub use invalid::InvalidInput;
pub use json::JsonObject;
pub use policy::{HoldPolicy, Ttl};
pub use price::Price;
pub use schema::SchemaName;
pub use text::{Actor, CustomerRef, IdempotencyKey, Reference, ResourceKind, ResourceName, TimeZoneName};
pub use violation::Violation;
pub use window::Window;

// These appear in signatures: use the same versions.
pub use {chrono, deadpool_postgres, tokio_postgres, uuid};
