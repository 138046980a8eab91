//! Constraint-safe booking writes on PostgreSQL.

pub mod constraint;
pub mod migrate;
pub mod schema;
