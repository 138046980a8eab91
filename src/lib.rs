//! Constraint-safe booking writes on PostgreSQL.

pub mod migrate;
pub mod schema;
