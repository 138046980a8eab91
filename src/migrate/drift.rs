//! The difference between what a database has and what it should have.

use std::fmt;

use serde::Serialize;

use crate::migrate::catalog::definition::without_marks;
use crate::migrate::catalog::{CatalogKind, Definitions, ObjectId};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Drift {
    /// What is different.
    pub kind: DriftKind,
    /// Which object: `constraint allocations.allocations_resource_during_excl`, `column holds.during`, `migration 2`.
    pub object: String,
    /// The object; none of a migration.
    #[serde(skip)]
    pub(super) id: Option<ObjectId>,
}

/// How an object differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DriftKind {
    /// The object does not exist; of a migration: it is pending.
    Missing,
    /// The constraint does not exist, and an index without a constraint has its name.
    IndexOnly,
    /// The constraint may be deferred to the end of a transaction: its errors come late, and `ON CONFLICT` fails on it.
    Deferrable,
    /// New rows obey the constraint, old rows were never checked.
    NotValid,
    /// Some of the constraint's triggers are switched off: it is not enforced, or only in part.
    Disabled,
    /// The index is left over from a build that failed.
    InvalidIndex,
    /// The object has another definition.
    Changed {
        /// The definition of this release.
        expected: String,
        /// The definition in the database.
        found: String,
    },
    /// This release does not know the object.
    Extra,
}

impl Drift {
    pub(super) fn of(id: ObjectId, kind: DriftKind) -> Self {
        Self { kind, object: id.to_string(), id: Some(id) }
    }

    pub(super) fn of_migration(version: i32, kind: DriftKind) -> Self {
        Self { kind, object: format!("migration {version}"), id: None }
    }

    /// Whether the difference breaks a promise of the schema. All do, except an extra column, constraint or index.
    #[must_use]
    pub fn fails(&self) -> bool {
        let kind = self.id.as_ref().map(|id| id.kind);
        let extra_is_harmless =
            matches!(kind, Some(CatalogKind::Column | CatalogKind::Constraint | CatalogKind::Index));
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
    for (id, expected) in expected {
        let kind = match found.get(id) {
            None if is_index_only(id, found) => DriftKind::IndexOnly,
            None => DriftKind::Missing,
            Some(found) if found != expected => changed(id.kind, expected, found),
            Some(_) => continue,
        };
        drift.push(Drift::of(id.clone(), kind));
    }
    let extra = found.keys().filter(|id| !expected.contains_key(*id));
    drift.extend(extra.map(|id| Drift::of(id.clone(), DriftKind::Extra)));
    drift
}

/// Whether an index has the name of a constraint that is missing.
fn is_index_only(id: &ObjectId, found: &Definitions) -> bool {
    id.kind == CatalogKind::Constraint && found.contains_key(&id.as_kind(CatalogKind::Index))
}

/// How the definitions differ. What weakens an object but leaves its definition has a kind of its own.
fn changed(object: CatalogKind, expected: &str, found: &str) -> DriftKind {
    let (base, marks) = without_marks(found);
    let marked = |mark: &str| marks.contains(mark);
    let can_be_weakened = matches!(object, CatalogKind::Constraint | CatalogKind::Index);
    match () {
        () if base != without_marks(expected).0 || !can_be_weakened => {
            DriftKind::Changed { expected: expected.to_owned(), found: found.to_owned() }
        }
        () if marked(", invalid") || marked(", not ready") => DriftKind::InvalidIndex,
        () if marked("deferrable") || marked("not immediate") => DriftKind::Deferrable,
        () if marked("not validated") => DriftKind::NotValid,
        () => DriftKind::Disabled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use CatalogKind::{Column, Constraint, Index, Rule, Table, Trigger};

    /// Objects of one table, each with its name and definition.
    fn definitions(of: &[(CatalogKind, &str, &str)]) -> Definitions {
        let object = |(kind, name, text): &(_, &str, &str)| (ObjectId::new(*kind, "t", name), (*text).into());
        of.iter().map(object).collect()
    }

    #[test]
    fn every_difference_is_named_and_an_addition_is_forgiven() {
        let table = (Table, "", "table");
        let expected = definitions(&[(Column, "b", "uuid"), (Index, "c", "x"), table]);
        let found = definitions(&[(Column, "b", "text"), (Column, "z", "uuid"), table]);
        let drift = compare(&expected, &found);
        let texts: Vec<_> = drift.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "column t.b is `text`, not `uuid`",
                "index t.c is missing",
                "column t.z is not part of the schema"
            ]
        );
        assert_eq!(drift.iter().map(Drift::fails).collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(compare(&expected, &expected), []);
    }

    #[test]
    fn what_weakens_a_constraint_has_a_name() {
        let kind = |kind: CatalogKind, expected: &str, found: &str| {
            let one = |text| definitions(&[(kind, "x", text)]);
            compare(&one(expected), &one(found)).remove(0).kind
        };
        let x = "EXCLUDE USING gist (r WITH =)";
        let deferrable = format!("{x} DEFERRABLE INITIALLY DEFERRED, deferrable, deferred");
        assert_eq!(kind(Constraint, x, &deferrable), DriftKind::Deferrable);
        assert_eq!(kind(Constraint, x, &format!("{x} NOT VALID, not validated")), DriftKind::NotValid);
        let key = "FOREIGN KEY (a) REFERENCES p(a)";
        let off = format!("{key}, triggers ODOO");
        assert_eq!(kind(Constraint, &format!("{key}, triggers OOOO"), &off), DriftKind::Disabled);
        assert_eq!(kind(Index, "i", "i, invalid"), DriftKind::InvalidIndex);
        assert!(matches!(kind(Constraint, x, "EXCLUDE, deferrable"), DriftKind::Changed { .. }));
        let only = compare(&definitions(&[(Constraint, "x", x)]), &definitions(&[(Index, "x", "i")]));
        assert_eq!(only[0].kind, DriftKind::IndexOnly);
    }

    #[test]
    fn an_extra_trigger_rule_or_migration_fails() {
        for kind in [Trigger, Rule] {
            assert!(Drift::of(ObjectId::new(kind, "holds", "x"), DriftKind::Extra).fails(), "{kind:?}");
        }
        assert!(Drift::of_migration(9, DriftKind::Extra).fails());
    }
}
