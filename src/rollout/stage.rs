//! The order in which a guard's objects are built.

use std::fmt;

use serde::Serialize;

use crate::rollout::{Guard, Rule};

/// A part of [`Guard::up`]. Each stage needs those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// The column that marks quarantined rows. No row is changed.
    Backfill,
    /// Checks and foreign keys. A window's check goes before its exclusion, which cannot look at a reversed window.
    Integrity,
    /// Unique keys and indexes.
    Indexes,
    /// Exclusions.
    Blockers,
}

impl Stage {
    /// All stages, in the order in which they are built.
    pub const ALL: [Self; 4] = [Self::Backfill, Self::Integrity, Self::Indexes, Self::Blockers];

    /// The stage a rule belongs to.
    #[must_use]
    pub const fn of(rule: &Rule) -> Self {
        match rule {
            Rule::Check(_) | Rule::Reference(_) => Self::Integrity,
            Rule::Unique(_) | Rule::Index(_) => Self::Indexes,
            Rule::NoOverlap(_) => Self::Blockers,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backfill => "backfill",
            Self::Integrity => "integrity",
            Self::Indexes => "indexes",
            Self::Blockers => "blockers",
        })
    }
}

/// The rules of all stages through `through`; within a stage in the guard's order.
pub(super) fn in_order(guard: &Guard, through: Stage) -> Vec<&Rule> {
    let mut rules: Vec<&Rule> = guard.rules.iter().filter(|rule| Stage::of(rule) <= through).collect();
    rules.sort_by_key(|rule| Stage::of(rule));
    rules
}
