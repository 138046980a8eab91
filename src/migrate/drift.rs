//! The difference between what a database has and what it should have.

use std::fmt;

use serde::Serialize;

use crate::migrate::catalog::Definitions;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Drift {
    /// What is different.
    pub kind: DriftKind,
    /// Which object: `constraint allocations.allocations_resource_during_excl`, `column holds.during`, `migration 2`.
    pub object: String,
}

/// How an object differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DriftKind {
    /// It is not there; of a migration: it is pending.
    Missing,
    /// The constraint is not there, and an index that is none has its name.
    IndexOnly,
    /// It may be deferred to the end of a transaction: its errors come late, and `ON CONFLICT` fails on it.
    Deferrable,
    /// New rows obey it, old rows were never checked.
    NotValid,
    /// Some of its triggers are switched off: it keeps nothing, or half of it.
    Disabled,
    /// The index is left over from a build that failed.
    InvalidIndex,
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
            DriftKind::IndexOnly => write!(f, "{} is an index only, not a constraint", self.object),
            DriftKind::Deferrable => write!(f, "{} is deferrable", self.object),
            DriftKind::NotValid => write!(f, "{} is not validated", self.object),
            DriftKind::Disabled => write!(f, "{} is disabled", self.object),
            DriftKind::InvalidIndex => write!(f, "{} is invalid", self.object),
            DriftKind::Changed { expected, found } => {
                write!(f, "{} is `{found}`, not `{expected}`", self.object)
            }
            DriftKind::Extra => write!(f, "{} is not part of the schema", self.object),
        }
    }
}

/// Compares two sets of definitions.
pub(super) fn compare(expected: &Definitions, found: &Definitions) -> Vec<Drift> {
    let mut drift = Vec::new();
    for (object, expected) in expected {
        let kind = match found.get(object) {
            None if found.contains_key(&object.replacen("constraint ", "index ", 1)) => DriftKind::IndexOnly,
            None => DriftKind::Missing,
            Some(found) if found != expected => changed(object, expected, found),
            Some(_) => continue,
        };
        drift.push(Drift { kind, object: object.clone() });
    }
    let extra = found.keys().filter(|object| !expected.contains_key(*object));
    drift.extend(extra.map(|object| Drift { kind: DriftKind::Extra, object: object.clone() }));
    drift
}

/// What weakens an object without another definition has a name of its own.
fn changed(object: &str, expected: &str, found: &str) -> DriftKind {
    let (base, marks) = without_marks(found);
    let is = |kind: &str| object.starts_with(kind);
    let marked = |mark: &str| marks.contains(mark);
    match () {
        () if base != without_marks(expected).0 || !(is("constraint ") || is("index ")) => {
            DriftKind::Changed { expected: expected.to_owned(), found: found.to_owned() }
        }
        () if marked(", invalid") || marked(", not ready") => DriftKind::InvalidIndex,
        () if marked("deferrable") || marked("not immediate") => DriftKind::Deferrable,
        () if marked("not validated") => DriftKind::NotValid,
        () => DriftKind::Disabled,
    }
}

/// A definition, and the marks that the catalog's query and the server put behind it.
pub(super) fn without_marks(definition: &str) -> (&str, &str) {
    const MARKS: [&str; 9] = [
        " DEFERRABLE",
        " NOT VALID",
        ", deferrable",
        ", deferred",
        ", not validated",
        ", triggers ",
        ", invalid",
        ", not ready",
        ", not immediate",
    ];
    let at = MARKS.iter().filter_map(|mark| definition.find(mark)).min().unwrap_or(definition.len());
    definition.split_at(at)
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
    fn what_weakens_a_constraint_has_a_name() {
        let kind = |object: &str, expected: &str, found: &str| {
            compare(&definitions(&[(object, expected)]), &definitions(&[(object, found)])).remove(0).kind
        };
        let x = "EXCLUDE USING gist (r WITH =)";
        let deferrable = format!("{x} DEFERRABLE INITIALLY DEFERRED, deferrable, deferred");
        assert_eq!(kind("constraint t.x", x, &deferrable), DriftKind::Deferrable);
        assert_eq!(kind("constraint t.x", x, &format!("{x} NOT VALID, not validated")), DriftKind::NotValid);
        let key = "FOREIGN KEY (a) REFERENCES p(a)";
        let off = format!("{key}, triggers ODOO");
        assert_eq!(kind("constraint t.f", &format!("{key}, triggers OOOO"), &off), DriftKind::Disabled);
        assert_eq!(kind("index t.i", "i", "i, invalid"), DriftKind::InvalidIndex);
        assert!(matches!(kind("constraint t.x", x, "EXCLUDE, deferrable"), DriftKind::Changed { .. }));
        let only = compare(&definitions(&[("constraint t.x", x)]), &definitions(&[("index t.x", "i")]));
        assert_eq!(only[0].kind, DriftKind::IndexOnly);
    }

    #[test]
    fn an_extra_trigger_rule_or_migration_fails() {
        for object in ["trigger holds.x", "rule holds.x", "migration 9"] {
            assert!(Drift { kind: DriftKind::Extra, object: object.into() }.fails(), "{object}");
        }
    }
}
