//! One constraint or index of a table.

pub(crate) mod builder;
mod ddl;
mod found;
mod job;
mod mark;
pub(crate) mod probe;
mod script;
mod state;

pub use builder::Built;
pub(crate) use ddl::Ddl;
pub use ddl::ObjectKind;
pub(crate) use found::{Found, Printed};
pub(crate) use mark::MarkColumn;
pub(crate) use script::{Action, script};
pub use script::{Lock, Work};
pub use state::State;
