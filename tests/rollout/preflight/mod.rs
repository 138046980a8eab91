//! The look before anything is changed.

mod campaign;
mod chains;
mod missing;
mod own;
mod roles;
mod sessions;

use slotkeeper::rollout::{FindingKind, Preflight, RowKey};

/// Kinds and counts of what was found, in the order of the rules.
fn counts(preflight: &Preflight) -> Vec<(FindingKind, u64, u64)> {
    preflight.findings().map(|finding| (finding.kind, finding.count, finding.leaving)).collect()
}

fn key(values: &[&str]) -> RowKey {
    RowKey(values.iter().map(|value| (*value).to_owned()).collect())
}
