//! Resources: what can be booked. A table, a room, a person, a vehicle.
//!
//! A resource that is not active takes no new claims; what is already booked stays. Resources are never deleted here:
//! hosts may have foreign keys to `(tenant_id, id)`.
//!
//! | call | round trips | in the caller's transaction |
//! |---|---|---|
//! | `create`, `update` | 1 | no savepoint, unless a reference is given |
//! | `deactivate` | 1 | no savepoint |
//! | `find`, `list` | 1 | a plain read |

mod model;
mod repository;
mod request;

pub use model::Resource;
pub use repository::ResourceRepository;
pub use request::{ListResources, NewResource, UpdateResource};
