//! A host's own constraints, mapped to the host's own errors.

mod builder;
mod pattern;
mod unmapped;

pub use builder::{ConstraintMapBuilder, InvalidRule};
pub use unmapped::Unmapped;

use std::borrow::Cow;
use std::fmt;

use tokio_postgres::{Error, GenericClient};

use crate::constraint::{keeps, unsharded};
use crate::violation::{PartitionNames, Violation};
use pattern::{Name, Pattern};

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

impl<E> ConstraintMap<E> {
    /// A map without rules.
    pub fn builder() -> ConstraintMapBuilder<E> {
        ConstraintMapBuilder::new()
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
