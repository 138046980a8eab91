//! The description of one guarded table.

mod builder;

pub use builder::GuardBuilder;

use crate::ops::{Ident, InvalidIdent, TableName};
use crate::rollout::rule::{Check, Rule};

/// The column that marks quarantined rows, unless [`GuardBuilder::shadow`] names another.
pub const SHADOW: &str = "slotkeeper_shadow";

/// What shall hold on one table of the host's. Part of the host's code and made once; it has no connection.
///
/// ```
/// use slotkeeper::rollout::{Guard, WindowColumns};
///
/// # fn main() -> Result<(), slotkeeper::rollout::InvalidGuard> {
/// let guard = Guard::on("app", "visits")
///     .tenant("restaurant_id")
///     .confirmed_at("paid_at")
///     .created_at("created_at")
///     .live("status <> 'cancelled'")
///     .no_overlap("visits_table_window_excl", &["table_id"], WindowColumns::bounds("starts_at", "ends_at")?)
///     .unique("visits_number_key", &["restaurant_id", "number"])
///     .reference("visits_table_fkey", &["restaurant_id", "table_id"], ("app", "tables"), &["restaurant_id", "id"])
///     .check("visits_party_check", "party > 0")
///     .build()?;
/// # let _ = guard;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    pub(crate) table: TableName,
    pub(crate) tenant: Option<Ident>,
    pub(crate) confirmed_at: Option<Ident>,
    pub(crate) created_at: Option<Ident>,
    pub(crate) live: Option<String>,
    /// SQL that is true of rows that stay before any others. For our own allocations: booked ones.
    pub(crate) precedence: Option<String>,
    pub(crate) shadow: Ident,
    /// The column beside it that says since when: only ours have one.
    pub(crate) shadowed_at: Option<Ident>,
    pub(crate) rules: Vec<Rule>,
}

/// Why a description cannot be a guard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidGuard {
    /// A name is empty, too long or has a control character.
    #[error(transparent)]
    Ident(#[from] InvalidIdent),
    /// The description has no rule.
    #[error("a guard needs at least one rule")]
    NoRule,
    /// Two rules would be kept by objects of the same name.
    #[error("two rules are named {name}")]
    DuplicateName {
        /// The name, which a window's check (`…_window`) may have taken.
        name: Ident,
    },
    /// A key or index without columns, or a foreign key whose sides differ in length.
    #[error("the columns of rule {name} do not fit")]
    Columns {
        /// The rule.
        name: Ident,
    },
    /// An SQL expression is empty, or holds a NUL or a semicolon.
    #[error("an expression must be one SQL condition")]
    Expression,
}

impl Guard {
    /// The table.
    #[must_use]
    pub const fn table(&self) -> &TableName {
        &self.table
    }

    /// The rules, in the order in which they were given; the check of a window follows its rule.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The condition under which a row is live and not quarantined, as SQL over the table's columns.
    pub(crate) fn counted(&self) -> String {
        let shadow = self.shadow.quoted();
        self.live
            .as_ref()
            .map_or_else(|| format!("NOT {shadow}"), |live| format!("({live}) AND NOT {shadow}"))
    }

    /// Whether the check was added by a window's rule.
    pub(crate) fn is_window_check(&self, check: &Check) -> bool {
        let brought = |rule: &Rule| match rule {
            Rule::NoOverlap(rule) => window_check(&rule.name) == check.name.as_str(),
            _ => false,
        };
        self.rules.iter().any(brought)
    }
}

fn window_check(overlap: &Ident) -> String {
    format!("{overlap}_window")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn only_live_rows_out_of_quarantine_count() {
        let guard = Guard::on("app", "t").live("a OR b").check("c", "true").build().unwrap();
        assert_eq!(guard.counted(), "(a OR b) AND NOT \"slotkeeper_shadow\"");
    }
}
