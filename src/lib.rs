//! Constraint-safe booking writes on PostgreSQL.

pub mod constraint;
pub mod constraint_map;
#[cfg_attr(not(test), allow(dead_code, reason = "the repositories that classify their errors come later"))]
mod failure;
pub mod migrate;
pub mod schema;
pub mod violation;
