//! Values: what requests and answers are made of. Each keeps its own rules, and none knows the database's tables.
//!
//! They are public at the crate's root, or in the noun whose answers they explain.

mod blocker;
mod claim;
mod ids;
mod invalid;
pub(crate) mod json;
pub(crate) mod policy;
mod price;
mod status;
mod text;
pub(crate) mod window;

pub use blocker::{AllocationKind, Blocker};
pub use claim::{Buffers, Claim, Pair};
pub use ids::{
    AllocationId, BlackoutId, BookingId, ClaimId, ConfirmationId, EventId, HoldId, ResourceId, TenantId,
};
pub use invalid::InvalidInput;
pub use json::JsonObject;
pub use policy::{HoldPolicy, Ttl};
pub use price::Price;
pub use status::BookingStatus;
pub use text::{Actor, CustomerRef, IdempotencyKey, Reference, ResourceKind, ResourceName, TimeZoneName};
pub use window::Window;
