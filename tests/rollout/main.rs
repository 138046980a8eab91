//! Constraints on tables that already hold rows. A binary of its own, because some of it kills processes and some of it
//! takes long; a real PostgreSQL and a database for each test, as in `it`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints figures"
)]
#![allow(dead_code, unreachable_pub, reason = "each group of tests uses its part of the support")]

mod canary;
mod columns;
mod drift;
mod killed;
mod plan;
mod refused;
mod staged;
mod support;
mod tables;
mod under_load;
mod up_down;
mod violated;
