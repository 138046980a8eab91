//! The description of one guarded table.

use std::collections::HashSet;

use crate::ops::{Ident, InvalidIdent, TableName};
use crate::rollout::rule::{Check, Index, NoOverlap, Reference, Rule, Unique, WindowColumns};

/// The column that marks quarantined rows, unless [`GuardBuilder::shadow`] names another.
pub const SHADOW: &str = "slotkeeper_shadow";

/// What shall hold on one table of the host's. Made once, as part of the host's code; it holds no connection.
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
    /// Rows that stay before any other, as SQL: among ours, what is booked before what is only held.
    pub(crate) precedence: Option<String>,
    pub(crate) shadow: Ident,
    /// The column beside it that says since when: only ours have one.
    pub(crate) shadowed_at: Option<Ident>,
    pub(crate) rules: Vec<Rule>,
}

/// Collects the parts of a [`Guard`]; [`build`](Self::build) checks them.
#[derive(Clone, Debug)]
#[must_use]
pub struct GuardBuilder {
    guard: Result<Guard, InvalidGuard>,
}

/// Why a description is no guard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidGuard {
    /// A name is empty, too long or has a control character.
    #[error(transparent)]
    Ident(#[from] InvalidIdent),
    /// A guard without a rule guards nothing.
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
    /// Begins the description of a table.
    pub fn on(schema: &str, table: &str) -> GuardBuilder {
        let guard = TableName::new(schema, table).map_err(Into::into).and_then(|table| {
            let shadow = Ident::new(SHADOW)?;
            Ok(Self {
                table,
                tenant: None,
                confirmed_at: None,
                created_at: None,
                live: None,
                precedence: None,
                shadow,
                shadowed_at: None,
                rules: Vec::new(),
            })
        });
        GuardBuilder { guard }
    }

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

    /// Whether it is the check that a window brought along.
    pub(crate) fn is_window_check(&self, check: &Check) -> bool {
        let brought = |rule: &Rule| match rule {
            Rule::NoOverlap(rule) => window_check(&rule.name) == check.name.as_str(),
            _ => false,
        };
        self.rules.iter().any(brought)
    }
}

impl GuardBuilder {
    /// The column that tells tenants apart. Findings are counted by it, and it is part of every window's key.
    pub fn tenant(self, column: &str) -> Self {
        self.with(|guard| {
            guard.tenant = Some(Ident::new(column)?);
            Ok(())
        })
    }

    /// When a row was confirmed; NULL if it was not. Of rows that exclude each other the earliest confirmed stays.
    pub fn confirmed_at(self, column: &str) -> Self {
        self.with(|guard| {
            guard.confirmed_at = Some(Ident::new(column)?);
            Ok(())
        })
    }

    /// When a row was made. Of rows equal in confirmation the earliest made stays, then the smallest primary key.
    pub fn created_at(self, column: &str) -> Self {
        self.with(|guard| {
            guard.created_at = Some(Ident::new(column)?);
            Ok(())
        })
    }

    /// Which rows occupy anything: `status <> 'cancelled'`. SQL over the table's columns; without it all rows do.
    pub fn live(self, condition: &str) -> Self {
        self.with(|guard| {
            guard.live = Some(expression(condition)?);
            Ok(())
        })
    }

    /// The boolean column that marks quarantined rows: [`SHADOW`] unless set. It is added where it is missing.
    pub fn shadow(self, column: &str) -> Self {
        self.with(|guard| {
            guard.shadow = Ident::new(column)?;
            Ok(())
        })
    }

    /// Live rows with equal `resource` (and tenant) do not overlap. Brings a check `<name>_window` along: bounds are
    /// there and in order, because an empty window slips past an exclusion, and a missing bound occupies for ever.
    pub fn no_overlap(self, name: &str, resource: &[&str], window: WindowColumns) -> Self {
        self.with(|guard| {
            let rule = NoOverlap { name: Ident::new(name)?, resource: idents(resource)?, window };
            guard.rules.push(Rule::NoOverlap(rule));
            Ok(())
        })
    }

    /// No two rows have the same values in `columns`. Cancelled and quarantined ones count too, and `dedupe` removes them;
    /// see [`unique_live`](Self::unique_live).
    pub fn unique(self, name: &str, columns: &[&str]) -> Self {
        self.with(|guard| {
            let (name, columns) = (Ident::new(name)?, idents(columns)?);
            guard.rules.push(Rule::Unique(Unique { name, columns, live_only: false }));
            Ok(())
        })
    }

    /// No two live rows have the same values in `columns`: a partial unique index, since a constraint takes no condition.
    pub fn unique_live(self, name: &str, columns: &[&str]) -> Self {
        self.with(|guard| {
            let (name, columns) = (Ident::new(name)?, idents(columns)?);
            guard.rules.push(Rule::Unique(Unique { name, columns, live_only: true }));
            Ok(())
        })
    }

    /// The row of `parent` that `columns` refer to exists.
    pub fn reference(self, name: &str, columns: &[&str], parent: (&str, &str), key: &[&str]) -> Self {
        self.with(|guard| {
            let (name, columns, parent_columns) = (Ident::new(name)?, idents(columns)?, idents(key)?);
            let parent = TableName::new(parent.0, parent.1)?;
            guard.rules.push(Rule::Reference(Reference { name, columns, parent, parent_columns }));
            Ok(())
        })
    }

    /// Every row satisfies an SQL condition.
    pub fn check(self, name: &str, condition: &str) -> Self {
        self.with(|guard| {
            let (name, expression) = (Ident::new(name)?, expression(condition)?);
            guard.rules.push(Rule::Check(Check { name, expression }));
            Ok(())
        })
    }

    /// An index for speed, over live rows only or over all.
    pub fn index(self, name: &str, columns: &[&str], live_only: bool) -> Self {
        self.with(|guard| {
            let (name, columns) = (Ident::new(name)?, idents(columns)?);
            guard.rules.push(Rule::Index(Index { name, columns, live_only }));
            Ok(())
        })
    }

    /// The guard.
    ///
    /// # Errors
    /// The first of [`InvalidGuard`] that was met.
    pub fn build(self) -> Result<Guard, InvalidGuard> {
        let mut guard = self.guard?;
        guard.rules = with_window_checks(guard.rules, &guard.shadow)?;
        if guard.rules.is_empty() {
            return Err(InvalidGuard::NoRule);
        }
        let mut names = HashSet::new();
        for rule in &guard.rules {
            if !names.insert(rule.name()) {
                return Err(InvalidGuard::DuplicateName { name: rule.name().clone() });
            }
            let fits = match rule {
                Rule::Reference(rule) => {
                    !rule.columns.is_empty() && rule.columns.len() == rule.parent_columns.len()
                }
                Rule::Unique(_) | Rule::Index(_) => !rule.columns().is_empty(),
                Rule::NoOverlap(rule) => !rule.resource.is_empty() || guard.tenant.is_some(),
                Rule::Check(_) => true,
            };
            if !fits {
                return Err(InvalidGuard::Columns { name: rule.name().clone() });
            }
        }
        Ok(guard)
    }

    fn with(mut self, change: impl FnOnce(&mut Guard) -> Result<(), InvalidGuard>) -> Self {
        self.guard = self.guard.and_then(|mut guard| change(&mut guard).map(|()| guard));
        self
    }
}

impl WindowColumns {
    /// One column of a range type.
    ///
    /// # Errors
    /// [`InvalidIdent`] if it is no name.
    pub fn range(column: &str) -> Result<Self, InvalidIdent> {
        Ok(Self::Range(Ident::new(column)?))
    }

    /// Two columns, the end exclusive.
    ///
    /// # Errors
    /// [`InvalidIdent`] if one is no name.
    pub fn bounds(start: &str, end: &str) -> Result<Self, InvalidIdent> {
        Ok(Self::Bounds { start: Ident::new(start)?, end: Ident::new(end)? })
    }

    /// True of a window with both bounds, finite, and not empty; false, never unknown, of any other.
    fn in_order(&self) -> String {
        match self {
            // `upper` and `lower` of an empty or unbounded range are NULL.
            Self::Range(column) => {
                let column = column.quoted();
                format!(
                    "coalesce(lower({column}) <= upper({column}) AND isfinite(lower({column})) \
                     AND isfinite(upper({column})), false)"
                )
            }
            Self::Bounds { start, end } => {
                let (start, end) = (start.quoted(), end.quoted());
                format!("coalesce({start} < {end} AND isfinite({start}) AND isfinite({end}), false)")
            }
        }
    }
}

fn window_check(overlap: &Ident) -> String {
    format!("{overlap}_window")
}

/// The check of each window behind its rule; only now, because the shadow column may have been named last.
fn with_window_checks(rules: Vec<Rule>, shadow: &Ident) -> Result<Vec<Rule>, InvalidGuard> {
    let mut all = Vec::with_capacity(rules.len());
    for rule in rules {
        let check = match &rule {
            Rule::NoOverlap(NoOverlap { name, window, .. }) => Some(Check {
                name: Ident::new(window_check(name))?,
                expression: format!("{} OR ({})", shadow.quoted(), window.in_order()),
            }),
            _ => None,
        };
        all.push(rule);
        all.extend(check.map(Rule::Check));
    }
    Ok(all)
}

fn idents(names: &[&str]) -> Result<Vec<Ident>, InvalidIdent> {
    names.iter().map(|name| Ident::new(*name)).collect()
}

/// Not a defence against the host, whose code it is: it catches a statement where a condition was meant.
fn expression(sql: &str) -> Result<String, InvalidGuard> {
    let sql = sql.trim();
    let sound = !sql.is_empty() && !sql.contains(['\0', ';']) && !sql.contains("--");
    if sound { Ok(sql.to_owned()) } else { Err(InvalidGuard::Expression) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn what_cannot_be_a_guard_is_refused_when_it_is_built() {
        let window = || WindowColumns::bounds("a", "b").unwrap();
        let name = |name: &str| Ident::new(name).unwrap();
        let on = || Guard::on("app", "t");
        assert_eq!(on().build(), Err(InvalidGuard::NoRule));
        assert_eq!(on().tenant("").check("c", "true").build(), Err(InvalidGuard::Ident(InvalidIdent)));
        assert_eq!(on().check("c", "true; DROP TABLE t").build(), Err(InvalidGuard::Expression));
        assert_eq!(on().unique("k", &[]).build(), Err(InvalidGuard::Columns { name: name("k") }));
        let uneven = on().reference("f", &["a", "b"], ("app", "p"), &["id"]);
        assert_eq!(uneven.build(), Err(InvalidGuard::Columns { name: name("f") }));
        let twice = on().no_overlap("x", &["r"], window()).check("x_window", "true");
        assert_eq!(twice.build(), Err(InvalidGuard::DuplicateName { name: name("x_window") }));
        let of_nothing = on().no_overlap("x", &[], window());
        assert_eq!(of_nothing.build(), Err(InvalidGuard::Columns { name: name("x") }));
    }

    #[test]
    fn the_order_of_the_parts_does_not_matter() {
        let window = || WindowColumns::bounds("a", "b").unwrap();
        let first = Guard::on("app", "t").shadow("s").no_overlap("x", &["r"], window()).build();
        let last = Guard::on("app", "t").no_overlap("x", &["r"], window()).shadow("s").build();
        assert_eq!(first, last);
        let Rule::Check(check) = &first.unwrap().rules[1] else { panic!("a check") };
        assert!(check.expression.starts_with("\"s\" OR"), "{}", check.expression);
    }

    #[test]
    fn only_live_rows_out_of_quarantine_count() {
        let guard = Guard::on("app", "t").live("a OR b").check("c", "true").build().unwrap();
        assert_eq!(guard.counted(), "(a OR b) AND NOT \"slotkeeper_shadow\"");
    }
}
