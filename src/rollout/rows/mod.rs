//! Rows that break a guard's rules: found, marked, removed, put back.

mod cleanup;
mod dedupe;
pub(crate) mod find;
mod finding;
mod quarantine;
mod restore;

pub use cleanup::{CleanedRule, Cleanup, CleanupReport, TenantRows};
pub(crate) use finding::Offender;
pub use finding::{Finding, Sample, TenantFinding};
