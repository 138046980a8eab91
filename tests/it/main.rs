//! The one integration binary: a real PostgreSQL, a database for each test, a file for each behaviour.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints figures"
)]
// Each group of tests uses its part of the support.
#![allow(dead_code, unreachable_pub, reason = "each group of tests uses its part of the support")]

mod calls;
mod claims;
mod errors;
mod faults;
mod migrate;
mod model;
mod offers;
mod retention;
mod storm;
mod structure;
mod support;
