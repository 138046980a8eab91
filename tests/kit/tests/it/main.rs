//! The kit keeps its promises: one binary, a file per promise.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed step is a failed test")]

mod child;
mod copies;
mod leftovers;
mod order;
mod proxy;
