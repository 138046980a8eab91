//! The constraints and indexes that keep a guard's rules: built, compared, tried for one tenant, dropped.

mod canary;
mod constraint_map;
mod down;
mod estimate;
mod plan;
mod prepare;
mod refuse;
mod up;
mod verify;

pub use canary::{Mode, WouldRefuse};
pub use down::Down;
pub use plan::Plan;
pub(crate) use refuse::refuse_violated;
pub use up::{RolledOut, Up};
pub use verify::{Difference, Verification};
