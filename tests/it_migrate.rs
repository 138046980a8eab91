//! Migrating, and finding what was changed behind the library's back.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

mod migrate {
    mod catalog;
    mod concurrency;
    mod db;
    mod drift;
    mod history;
    mod roles;
    mod steps;
}
