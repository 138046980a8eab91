//! Constraints on tables that already hold rows. A binary of its own, because some of it kills processes and some of it
//! takes long; a real PostgreSQL and a database for each test, as in `it`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints figures"
)]
#![allow(dead_code, unreachable_pub, reason = "each group of tests uses its part of the support")]

mod artifact_refusals;
mod artifact_values;
mod audit;
mod audit_records;
mod audit_retention;
mod audit_rules;
mod audit_shadow;
mod canary;
mod clearing_kills;
mod clearing_limits;
mod clearing_scale;
mod clearing_writers;
#[cfg(feature = "cli")]
mod cli;
mod columns;
mod dedupe;
mod drift;
mod killed;
mod offers;
mod old_versions;
mod own_ceremony;
mod own_export;
mod own_figures;
mod own_plan;
mod own_repair;
mod plan;
mod preflight;
mod quarantine;
mod quarantine_interrupted;
mod refused;
mod restore;
mod rights;
mod spawned;
mod staged;
mod support;
mod tables;
mod under_load;
mod up_down;
mod violated;
