//! Rules are collected and checked.

use std::borrow::Cow;
use std::fmt;

use super::{
    ConstraintMap, Rule,
    pattern::{Name, Pattern},
};
use crate::violation::{PartitionNames, Violation};

/// Collects the rules of a [`ConstraintMap`].
#[must_use = "`build` makes the map"]
pub struct ConstraintMapBuilder<E> {
    schema: Option<Name>,
    rules: Vec<Rule<E>>,
}

impl<E> ConstraintMapBuilder<E> {
    pub(super) fn new() -> Self {
        Self { schema: None, rules: Vec::new() }
    }

    /// Only constraints in this schema; without it, in any.
    pub fn in_schema(mut self, schema: impl Into<Cow<'static, str>>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// The constraint or unique index of this name.
    pub fn exact(
        self,
        constraint: impl Into<Cow<'static, str>>,
        make: impl Fn(&Violation) -> E + Send + Sync + 'static,
    ) -> Self {
        self.rule(Pattern::Exact(constraint.into()), make)
    }

    /// The constraint of this name on this table: two tables may each have a check of the same name.
    pub fn exact_on(
        self,
        table: impl Into<Cow<'static, str>>,
        constraint: impl Into<Cow<'static, str>>,
        make: impl Fn(&Violation) -> E + Send + Sync + 'static,
    ) -> Self {
        self.rule(Pattern::ExactOn { table: table.into(), constraint: constraint.into() }, make)
    }

    /// A column that must not be NULL: the server reports no constraint for it.
    pub fn not_null(
        self,
        table: impl Into<Cow<'static, str>>,
        column: impl Into<Cow<'static, str>>,
        make: impl Fn(&Violation) -> E + Send + Sync + 'static,
    ) -> Self {
        self.rule(Pattern::NotNull { table: table.into(), column: column.into() }, make)
    }

    /// Every constraint whose name begins so.
    pub fn prefix(
        self,
        head: impl Into<Cow<'static, str>>,
        make: impl Fn(&Violation) -> E + Send + Sync + 'static,
    ) -> Self {
        self.rule(Pattern::Prefix(head.into()), make)
    }

    /// Every constraint whose name ends so.
    pub fn suffix(
        self,
        tail: impl Into<Cow<'static, str>>,
        make: impl Fn(&Violation) -> E + Send + Sync + 'static,
    ) -> Self {
        self.rule(Pattern::Suffix(tail.into()), make)
    }

    /// The object that keeps `rule` of `table`, for all or for one tenant; an empty rule is what `build` refuses.
    pub(crate) fn guarded(
        self,
        table: Name,
        rule: Name,
        make: impl Fn(&Violation) -> E + Send + Sync + 'static,
    ) -> Self {
        self.rule(Pattern::Guarded { table, rule }, make)
    }

    fn rule(mut self, pattern: Pattern, make: impl Fn(&Violation) -> E + Send + Sync + 'static) -> Self {
        self.rules.push(Rule { pattern, make: Box::new(make) });
        self
    }

    /// Checks the rules and makes the map.
    ///
    /// # Errors
    /// [`InvalidRule`] if two rules are for the same name, or a name is empty.
    pub fn build(self) -> Result<ConstraintMap<E>, InvalidRule> {
        let Self { schema, mut rules } = self;
        for (i, rule) in rules.iter().enumerate() {
            if rule.pattern.is_empty() {
                return Err(InvalidRule::Empty { rule: i + 1 });
            }
            if let Some(first) = rules.iter().take(i).position(|earlier| earlier.pattern == rule.pattern) {
                return Err(InvalidRule::Duplicate { rule: i + 1, first: first + 1 });
            }
        }
        rules.sort_by_key(|rule| rule.pattern.rank());
        Ok(ConstraintMap { schema, rules, partitions: PartitionNames::new() })
    }
}

impl<E> fmt::Debug for ConstraintMapBuilder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConstraintMapBuilder").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

/// Why a [`ConstraintMapBuilder`] made no map. Rules are counted from 1, in the order in which they were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRule {
    /// Two rules are for the same name.
    #[error("rule {rule} of the constraint map is for the same name as rule {first}")]
    Duplicate {
        /// The second of the two.
        rule: usize,
        /// The first of the two.
        first: usize,
    },
    /// A name is empty, and an empty prefix or suffix would match everything; or the guard has no rule of that name.
    #[error("rule {rule} of the constraint map has an empty name, or one that its guard does not know")]
    Empty {
        /// Which.
        rule: usize,
    },
}
