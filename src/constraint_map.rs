//! A host's own constraints, mapped to the host's own errors.

use std::borrow::Cow;
use std::fmt;

use tokio_postgres::{Error, GenericClient};

use crate::constraint::{keeps, unsharded};
use crate::violation::{PartitionNames, Violation};

/// Which error of the host each of its constraints stands for.
///
/// ```
/// use slotkeeper::constraint_map::{ConstraintMap, Unmapped};
///
/// #[derive(Debug)]
/// enum VisitError {
///     Twice,
///     Party,
///     NoSuchRow,
///     Infrastructure(Unmapped),
/// }
///
/// # fn main() -> Result<(), slotkeeper::constraint_map::InvalidRule> {
/// let visits: ConstraintMap<VisitError> = ConstraintMap::builder()
///     .in_schema("app")
///     .exact("visits_guest_key", |_| VisitError::Twice)
///     .exact_on("visits", "positive", |_| VisitError::Party)
///     .suffix("_fkey", |_| VisitError::NoSuchRow)
///     .build()?;
/// # let _ = |error: tokio_postgres::Error| {
/// let error = visits.map(error).unwrap_or_else(VisitError::Infrastructure);
/// # error };
/// # Ok(())
/// # }
/// ```
///
/// # Which rule
/// The first of: [`exact_on`] · [`exact`] · the longest [`prefix`] · the longest [`suffix`]. For a column that must
/// not be NULL, which has no constraint name, only [`not_null`]. No rule is no guess: [`Unmapped::Unknown`].
///
/// # Which name
/// The one the server reports. Exact names and suffixes also match with the `_` and digits that a shard adds; a rule
/// for the full name goes first. Where the server reports no name (a sharding coordinator), exact names, not prefixes
/// and suffixes, are looked for among the identifiers of its message. Partitions have names of their own: see
/// [`map_resolving`](Self::map_resolving).
///
/// [`exact_on`]: ConstraintMapBuilder::exact_on
/// [`exact`]: ConstraintMapBuilder::exact
/// [`prefix`]: ConstraintMapBuilder::prefix
/// [`suffix`]: ConstraintMapBuilder::suffix
/// [`not_null`]: ConstraintMapBuilder::not_null
pub struct ConstraintMap<E> {
    schema: Option<Cow<'static, str>>,
    /// In the order in which they are tried.
    rules: Vec<Rule<E>>,
    partitions: PartitionNames,
}

struct Rule<E> {
    pattern: Pattern,
    make: Box<dyn Fn(&Violation) -> E + Send + Sync>,
}

type Name = Cow<'static, str>;

#[derive(PartialEq, Eq, Clone, Debug)]
enum Pattern {
    NotNull { table: Name, column: Name },
    ExactOn { table: Name, constraint: Name },
    Guarded { table: Name, rule: Name },
    Exact(Name),
    Prefix(Name),
    Suffix(Name),
}

impl<E> ConstraintMap<E> {
    /// A map without rules.
    pub fn builder() -> ConstraintMapBuilder<E> {
        ConstraintMapBuilder { schema: None, rules: Vec::new() }
    }

    /// The host's error for a driver error. No query: partitions are recognised once
    /// [`map_resolving`](Self::map_resolving) has met them.
    ///
    /// # Errors
    /// [`Unmapped`] if no rule applies or the error is not the violation of a constraint.
    pub fn map(&self, error: Error) -> Result<E, Unmapped> {
        let violation = self.read(error)?;
        let violation = self.partitions.cached(&violation).unwrap_or(violation);
        self.apply(violation)
    }

    /// As [`map`](Self::map), and the constraint of a partition is matched by its name at the partitioned table.
    ///
    /// That name is asked for once for each partition. A violation aborts its transaction, so `client` has to be
    /// another connection, or the same one after the rollback.
    ///
    /// # Errors
    /// As [`map`](Self::map). If the question fails, the violation is [`Unmapped::Unknown`] unless an exact rule has
    /// its own name.
    pub async fn map_resolving(&self, error: Error, client: &impl GenericClient) -> Result<E, Unmapped> {
        let violation = self.read(error)?;
        if let Some(rule) = self.rule_by_name(&violation) {
            return Ok((rule.make)(&violation));
        }
        match self.partitions.resolve(&violation, client).await {
            Ok(resolved) => self.apply(resolved),
            // A prefix could take the partition's name for something else.
            Err(_) => Err(Unmapped::Unknown(violation)),
        }
    }

    /// The host's error for a violation that has been read already, such as the one in
    /// [`Error::UnknownConstraint`](crate::Error::UnknownConstraint); `None` if no rule applies. No query.
    #[must_use]
    pub fn map_violation(&self, violation: &Violation) -> Option<E> {
        let resolved = self.partitions.cached(violation);
        self.made_of(resolved.as_ref().unwrap_or(violation))
    }

    fn read(&self, error: Error) -> Result<Violation, Unmapped> {
        let declared = |token: &str| self.rules.iter().any(|rule| rule.pattern.is_exactly(token));
        let violation = error.as_db_error().and_then(|error| Violation::read(error, declared));
        violation.ok_or(Unmapped::NotAViolation(error))
    }

    fn apply(&self, violation: Violation) -> Result<E, Unmapped> {
        self.made_of(&violation).ok_or(Unmapped::Unknown(violation))
    }

    fn made_of(&self, violation: &Violation) -> Option<E> {
        let rule = self.rule_by_name(violation).or_else(|| self.rule_by_part(violation))?;
        Some((rule.make)(violation))
    }

    /// The rule that names the constraint or column; the full name goes before the name without a shard's suffix.
    fn rule_by_name(&self, violation: &Violation) -> Option<&Rule<E>> {
        if !self.covers(violation) {
            return None;
        }
        let Some(full) = violation.constraint() else {
            let column = violation.column()?;
            return self.rule_on(violation.table(), |pattern| match pattern {
                Pattern::NotNull { table, column: declared } if declared == column => Some(table),
                _ => None,
            });
        };
        let find = |name: &str| {
            let on_table = self.rule_on(violation.table(), |pattern| match pattern {
                Pattern::ExactOn { table, constraint } if constraint == name => Some(table),
                Pattern::Guarded { table, rule } if keeps(name, rule) => Some(table),
                _ => None,
            });
            let anywhere =
                |rule: &&Rule<E>| matches!(&rule.pattern, Pattern::Exact(declared) if declared == name);
            on_table.or_else(|| self.rules.iter().find(anywhere))
        };
        find(full).or_else(|| unsharded(full).and_then(find))
    }

    /// The rule for the reported table; else the only one it could be for: a shard has the name of its table, `_` and
    /// digits, and a table that is not reported could be any.
    fn rule_on<'a>(
        &'a self,
        reported: Option<&str>,
        table_of: impl Fn(&'a Pattern) -> Option<&'a Name>,
    ) -> Option<&'a Rule<E>> {
        let rules = || self.rules.iter().filter_map(|rule| Some((rule, &**table_of(&rule.pattern)?)));
        if let Some((rule, _)) = rules().find(|(_, table)| reported == Some(*table)) {
            return Some(rule);
        }
        let mut possible = rules()
            .filter(|(_, table)| reported.is_none_or(|reported| unsharded(reported) == Some(*table)))
            .map(|(rule, _)| rule);
        let first = possible.next();
        if possible.next().is_some() { None } else { first }
    }

    fn rule_by_part(&self, violation: &Violation) -> Option<&Rule<E>> {
        let name = violation.constraint().filter(|_| self.covers(violation))?;
        self.rules.iter().find(|rule| match &rule.pattern {
            Pattern::Prefix(head) => name.starts_with(&**head),
            Pattern::Suffix(tail) => {
                [Some(name), unsharded(name)].iter().flatten().any(|n| n.ends_with(&**tail))
            }
            _ => false,
        })
    }

    /// Where the server does not tell the schema, a name is taken for one of this map's.
    fn covers(&self, violation: &Violation) -> bool {
        match (self.schema.as_deref(), violation.schema()) {
            (Some(scope), Some(reported)) => scope == reported,
            _ => true,
        }
    }
}

impl<E> fmt::Debug for ConstraintMap<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConstraintMap").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

/// Collects the rules of a [`ConstraintMap`].
#[must_use = "`build` makes the map"]
pub struct ConstraintMapBuilder<E> {
    schema: Option<Name>,
    rules: Vec<Rule<E>>,
}

impl<E> ConstraintMapBuilder<E> {
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

impl Pattern {
    fn rank(&self) -> (u8, usize) {
        match self {
            Self::NotNull { .. } | Self::ExactOn { .. } | Self::Guarded { .. } | Self::Exact(_) => (0, 0),
            Self::Prefix(name) => (1, usize::MAX - name.len()),
            Self::Suffix(name) => (2, usize::MAX - name.len()),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::NotNull { table, column: name }
            | Self::ExactOn { table, constraint: name }
            | Self::Guarded { table, rule: name } => table.is_empty() || name.is_empty(),
            Self::Exact(name) | Self::Prefix(name) | Self::Suffix(name) => name.is_empty(),
        }
    }

    /// Whether a rule is for this very constraint, whatever the table.
    fn is_exactly(&self, token: &str) -> bool {
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

/// A [`ConstraintMap`] has no error of the host for this.
///
/// `Display` and `Debug` show no names and no data. The driver error in [`NotAViolation`](Self::NotAViolation) does
/// when it is printed with its causes, so it is not this error's `source`: take it out and decide.
#[derive(thiserror::Error)]
pub enum Unmapped {
    /// A constraint nobody made a rule for.
    #[error(
        "a constraint without a rule was violated: read `constraint()` and `table()` of the violation and declare \
         it in the constraint map with `exact` (a required column with `not_null`)"
    )]
    Unknown(#[source] Violation),
    /// Not the violation of a constraint; the driver error as it came.
    #[error("the database error is not the violation of a constraint")]
    NotAViolation(Error),
}

impl fmt::Debug for Unmapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(violation) => f.debug_tuple("Unknown").field(violation).finish(),
            Self::NotAViolation(error) => {
                let sqlstate = error.code().map(|code| code.code());
                f.debug_struct("NotAViolation").field("sqlstate", &sqlstate).finish_non_exhaustive()
            }
        }
    }
}
