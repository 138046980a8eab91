//! The parts of a guard, one call each, and whether they fit.

use std::collections::HashSet;

use crate::ops::{Ident, InvalidIdent, TableName};
use crate::rollout::guard::{Guard, InvalidGuard, SHADOW, window_check};
use crate::rollout::rule::{Check, Index, NoOverlap, Reference, Rule, Unique, WindowColumns};

/// Collects the parts of a [`Guard`]; [`build`](Self::build) checks them.
#[derive(Clone, Debug)]
#[must_use]
pub struct GuardBuilder {
    guard: Result<Guard, InvalidGuard>,
}

impl Guard {
    /// Begins the description of a table.
    pub fn on(schema: &str, table: &str) -> GuardBuilder {
        let guard = TableName::new(schema, table).map_err(Into::into).and_then(|table| {
            let shadow = Ident::new(SHADOW)?;
            let rules = Vec::new();
            let (tenant, confirmed_at, created_at, live, precedence) = (None, None, None, None, None);
            let shadowed_at = None;
            Ok(Self { table, tenant, confirmed_at, created_at, live, precedence, shadow, shadowed_at, rules })
        });
        GuardBuilder { guard }
    }
}

impl GuardBuilder {
    /// The column with the tenant. Findings are counted by it, and it is part of every window's key.
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

    /// Live rows with equal `resource` (and tenant) do not overlap. Adds a check `<name>_window` that both bounds are given
    /// and in order: an exclusion does not see an empty window, and a window without an end would block all time after it.
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

/// Adds the check of each window behind its rule. Done when the guard is built, because the shadow column may be named
/// after the rule.
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

/// Catches a statement given where a condition was meant. It is no defence: the expression is the host's own code.
fn expression(sql: &str) -> Result<String, InvalidGuard> {
    let sql = sql.trim();
    let valid = !sql.is_empty() && !sql.contains(['\0', ';']) && !sql.contains("--");
    if valid { Ok(sql.to_owned()) } else { Err(InvalidGuard::Expression) }
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
}
