//! Which constraint a rule is for.

use crate::constraint::{keeps, unsharded};
use std::borrow::Cow;

pub(super) type Name = Cow<'static, str>;

#[derive(PartialEq, Eq, Clone, Debug)]
pub(super) enum Pattern {
    NotNull { table: Name, column: Name },
    ExactOn { table: Name, constraint: Name },
    Guarded { table: Name, rule: Name },
    Exact(Name),
    Prefix(Name),
    Suffix(Name),
}

impl Pattern {
    /// The place of its rule among the others: names first, then the longest part.
    pub(super) fn rank(&self) -> (u8, usize) {
        match self {
            Self::NotNull { .. } | Self::ExactOn { .. } | Self::Guarded { .. } | Self::Exact(_) => (0, 0),
            Self::Prefix(name) => (1, usize::MAX - name.len()),
            Self::Suffix(name) => (2, usize::MAX - name.len()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::NotNull { table, column: name }
            | Self::ExactOn { table, constraint: name }
            | Self::Guarded { table, rule: name } => table.is_empty() || name.is_empty(),
            Self::Exact(name) | Self::Prefix(name) | Self::Suffix(name) => name.is_empty(),
        }
    }

    /// Whether a rule is for this very constraint, whatever the table.
    pub(super) fn is_exactly(&self, token: &str) -> bool {
        match self {
            Self::Exact(name) | Self::ExactOn { constraint: name, .. } => {
                name == token || unsharded(token).is_some_and(|token| name == token)
            }
            Self::Guarded { rule, .. } => {
                keeps(token, rule) || unsharded(token).is_some_and(|token| keeps(token, rule))
            }
            _ => false,
        }
    }
}
