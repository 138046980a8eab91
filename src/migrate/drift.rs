//! The difference between what a database has and what it should have.

use std::collections::BTreeMap;
use std::fmt;

/// What [`Migrator::verify`](super::Migrator::verify) found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Verification {
    /// Every difference, in the order of the catalog.
    pub drift: Vec<Drift>,
    /// Whether the role could read the history. If not, only the definitions were compared.
    pub history_read: bool,
}

impl Verification {
    /// Whether the database keeps every promise of the schema: it may have more than it should, but nothing that
    /// [fails](Drift::fails).
    #[must_use]
    pub fn is_ok(&self) -> bool {
        !self.drift.iter().any(Drift::fails)
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drift {
    /// What is different.
    pub kind: DriftKind,
    /// Which object: `constraint allocations.allocations_resource_during_excl`, `column holds.during`, `migration 2`.
    pub object: String,
}

/// How an object differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DriftKind {
    /// It is not there; of a migration: it is pending.
    Missing,
    /// It is there with another definition.
    Changed {
        /// The definition of this release.
        expected: String,
        /// The definition in the database.
        found: String,
    },
    /// It is there, and this release does not know it.
    Extra,
}

impl Drift {
    /// Whether it breaks a promise: everything does, except a column, constraint or index too many.
    #[must_use]
    pub fn fails(&self) -> bool {
        let extra_is_harmless =
            ["column ", "constraint ", "index "].iter().any(|kind| self.object.starts_with(kind));
        self.kind != DriftKind::Extra || !extra_is_harmless
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            DriftKind::Missing => write!(f, "{} is missing", self.object),
            DriftKind::Changed { expected, found } => {
                write!(f, "{} is `{found}`, not `{expected}`", self.object)
            }
            DriftKind::Extra => write!(f, "{} is not part of the schema", self.object),
        }
    }
}

/// Objects with their definitions, in order.
pub(super) type Definitions = BTreeMap<String, String>;

/// Compares two sets of definitions.
pub(super) fn compare(expected: &Definitions, found: &Definitions) -> Vec<Drift> {
    let mut drift = Vec::new();
    for (object, expected) in expected {
        let kind = match found.get(object) {
            None => DriftKind::Missing,
            Some(found) if found != expected => {
                DriftKind::Changed { expected: expected.clone(), found: found.clone() }
            }
            Some(_) => continue,
        };
        drift.push(Drift { kind, object: object.clone() });
    }
    let extra = found.keys().filter(|object| !expected.contains_key(*object));
    drift.extend(extra.map(|object| Drift { kind: DriftKind::Extra, object: object.clone() }));
    drift
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definitions(of: &[(&str, &str)]) -> Definitions {
        of.iter().map(|(object, definition)| ((*object).into(), (*definition).into())).collect()
    }

    #[test]
    fn every_difference_is_named_and_an_addition_is_forgiven() {
        let expected = definitions(&[("column a.b", "uuid"), ("index a.c", "x"), ("table a", "table")]);
        let found = definitions(&[("column a.b", "text"), ("column a.z", "uuid"), ("table a", "table")]);
        let drift = compare(&expected, &found);
        let texts: Vec<_> = drift.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "column a.b is `text`, not `uuid`",
                "index a.c is missing",
                "column a.z is not part of the schema"
            ]
        );
        assert_eq!(drift.iter().map(Drift::fails).collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(compare(&expected, &expected), []);
    }

    #[test]
    fn an_extra_trigger_rule_or_migration_fails() {
        for object in ["trigger holds.x", "rule holds.x", "migration 9"] {
            assert!(Drift { kind: DriftKind::Extra, object: object.into() }.fails(), "{object}");
        }
    }
}
