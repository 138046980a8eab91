//! What each difference asks for.

use crate::migrate::catalog::definition::{TableDefinition, without_marks};
use crate::migrate::catalog::{
    CATALOG, CatalogKind, ColumnDefinition, ConstraintDefinition, Definition, Object, ObjectId,
};
use crate::migrate::repair::Skipped;
use crate::migrate::{Drift, DriftKind};
use crate::ops::object::Ddl;
use crate::ops::{Ident, ObjectKind, OpsError, TableName};
use crate::schema::SchemaName;

/// One thing to do.
pub(super) struct Action {
    pub(super) object: String,
    pub(super) how: String,
    pub(super) work: Work,
}

pub(super) enum Work {
    /// A constraint or index; `in_the_way` is a plain index that has the constraint's name and protects nothing.
    Build { ddl: Ddl, in_the_way: Option<String> },
    /// Statements under a short lock.
    Alter { table: TableName, rule: String, sql: String },
    /// The rule of a domain: it binds new values first, then the old ones are asked.
    Restrict { domain: String, rule: String, definition: String },
}

/// Sorts differences into work, in an order in which it can be done, and what is skipped.
pub(super) fn decide(drift: &[Drift], schema: &SchemaName) -> Result<(Vec<Action>, Vec<Skipped>), OpsError> {
    let mut actions: Vec<Action> = Vec::new();
    let mut skipped: Vec<Skipped> = Vec::new();
    for difference in drift.iter().filter(|difference| difference.fails()) {
        let id = difference.id.as_ref().map(constraint_of);
        let object = id.as_ref().map_or_else(|| difference.object.clone(), ToString::to_string);
        let decided = actions.iter().any(|action| action.object == object);
        if decided || skipped.iter().any(|skipped| skipped.object == object) {
            continue;
        }
        let decision = match &id {
            Some(id) => act(id, difference, drift, schema)?,
            None if difference.kind == DriftKind::Missing => Err("it is pending: migrate first"),
            None => Err("another release, or a person by hand, migrated this database"),
        };
        match decision {
            Ok((how, work)) => actions.push(Action { object, how, work }),
            Err(why) => skipped.push(Skipped { object, why }),
        }
    }
    actions.sort_by_key(|action| action.work.order());
    Ok((actions, skipped))
}

/// The index of a constraint is repaired with it.
fn constraint_of(id: &ObjectId) -> ObjectId {
    let constraint = id.as_kind(CatalogKind::Constraint);
    let belongs = id.kind == CatalogKind::Index && CATALOG.get(&constraint).is_some();
    if belongs { constraint } else { id.clone() }
}

type Decision = Result<(String, Work), &'static str>;

fn act(
    id: &ObjectId,
    difference: &Drift,
    drift: &[Drift],
    schema: &SchemaName,
) -> Result<Decision, OpsError> {
    let Some(object) = CATALOG.get(id) else {
        return Ok(Err("it is not part of the schema: it was added on purpose"));
    };
    let altered = |change: String| (change.clone(), alter(schema, &id.table, &id.name, &change));
    Ok(match (&object.definition, &difference.kind) {
        (Definition::Table(_) | Definition::Column(_), DriftKind::Missing) => {
            Err("what was in it is gone: restore a backup")
        }
        (Definition::Table(expected), DriftKind::Changed { found, .. }) => {
            fillfactor(expected, &TableDefinition::read(found)).map(altered)
        }
        (Definition::Column(expected), DriftKind::Changed { found, .. }) => {
            column(&id.name, expected, &ColumnDefinition::read(found)).map(altered)
        }
        (Definition::Domain(_), DriftKind::Missing) => Err("its columns are gone with it: restore a backup"),
        (Definition::Domain(_), _) => Err("its values would have to be rewritten"),
        (Definition::Table(_) | Definition::Column(_), _) => Err("it is not of this release's making"),
        (Definition::Constraint(_), _) if CATALOG.domains().contains(&id.table.as_str()) => {
            hopeless(id, object, drift).map_or_else(|| Ok(restrict(schema, id, object)), Err)
        }
        (Definition::Constraint(_) | Definition::Index(_), _) => {
            match hopeless(id, object, drift).map_or_else(|| in_the_way(id, object, difference, drift), Err) {
                Err(why) => Err(why),
                Ok(in_the_way) => {
                    let in_the_way = in_the_way.then(|| format!("\"{schema}\".\"{}\"", id.name));
                    let ddl = ddl(schema, id, object)?;
                    Ok((format!("built as {}", ddl.definition), Work::Build { ddl, in_the_way }))
                }
            }
        }
    })
}

/// Why a constraint or index cannot be built: what it is of is missing itself.
fn hopeless(id: &ObjectId, object: &Object<'_>, drift: &[Drift]) -> Option<&'static str> {
    let missing = drift.iter().filter(|other| other.kind == DriftKind::Missing);
    let of_table = missing.filter_map(|other| other.id.as_ref()).filter(|other| other.table == id.table);
    let reason = |other: &ObjectId| match other.kind {
        CatalogKind::Table => Some("what was in its table is gone: restore a backup"),
        CatalogKind::Domain => Some("its domain is gone: restore a backup"),
        CatalogKind::Column if object.mentions(&other.name) => {
            Some("a column it needs is gone: restore a backup")
        }
        _ => None,
    };
    of_table.filter_map(reason).next()
}

/// Whether an index has to go first: an exclusion cannot be made of one, and a plain index protects nothing.
fn in_the_way(
    id: &ObjectId,
    object: &Object<'_>,
    difference: &Drift,
    drift: &[Drift],
) -> Result<bool, &'static str> {
    let exclusion =
        matches!(object.definition, Definition::Constraint(ConstraintDefinition::Exclusion { .. }));
    if !exclusion || difference.kind != DriftKind::IndexOnly {
        return Ok(false);
    }
    let index = id.as_kind(CatalogKind::Index);
    let unique = drift.iter().any(|other| {
        other.id.as_ref() == Some(&index)
            && matches!(&other.kind, DriftKind::Changed { found, .. } if found.starts_with("CREATE UNIQUE"))
    });
    if unique { Err("a unique index has its name, and may be relied on") } else { Ok(true) }
}

fn alter(schema: &SchemaName, table: &str, name: &str, change: &str) -> Work {
    let sql = format!("ALTER TABLE \"{schema}\".\"{table}\" {change}");
    // Cannot fail: both are names of ours.
    let table = TableName::new(schema.as_str(), table).unwrap_or_else(|_| unreachable!());
    Work::Alter { table, rule: format!("not null of {name}"), sql }
}

fn restrict(schema: &SchemaName, id: &ObjectId, object: &Object<'_>) -> (String, Work) {
    let (definition, _) = without_marks(object.text);
    let domain = format!("\"{schema}\".\"{}\"", id.table);
    let work = Work::Restrict { domain, rule: id.name.clone(), definition: schema.qualify(definition) };
    (format!("added as {definition}"), work)
}

/// The object as this release defines it, in this schema.
fn ddl(schema: &SchemaName, id: &ObjectId, object: &Object<'_>) -> Result<Ddl, OpsError> {
    let ident = |name: &str| Ident::new(name).map_err(|_| OpsError::UnsupportedName { name: name.into() });
    let (constraint, _) = without_marks(object.text);
    let (kind, definition) = match &object.definition {
        Definition::Index(index) if index.unique => (ObjectKind::UniqueIndex, index.body),
        Definition::Index(index) => (ObjectKind::Index, index.body),
        Definition::Constraint(ConstraintDefinition::Check { .. }) => (ObjectKind::Check, constraint),
        Definition::Constraint(ConstraintDefinition::Reference { .. }) => (ObjectKind::Reference, constraint),
        Definition::Constraint(ConstraintDefinition::Exclusion { .. }) => (ObjectKind::Exclusion, constraint),
        _ => (ObjectKind::Unique, constraint),
    };
    let table = TableName { schema: ident(schema.as_str())?, name: ident(&id.table)? };
    Ok(Ddl { table, name: ident(&id.name)?, kind, definition: schema.qualify(definition) })
}

/// `SET (fillfactor = 85)` if nothing else differs.
fn fillfactor(expected: &TableDefinition<'_>, found: &TableDefinition<'_>) -> Result<String, &'static str> {
    match expected.fillfactor {
        _ if expected.storage != found.storage => Err("its rows would have to be rewritten"),
        None => Ok("RESET (fillfactor)".into()),
        Some(factor) => Ok(format!("SET (fillfactor = {factor})")),
    }
}

/// The default and `NOT NULL`, if the type is the same.
fn column(
    name: &str,
    expected: &ColumnDefinition<'_>,
    found: &ColumnDefinition<'_>,
) -> Result<String, &'static str> {
    if expected.ty != found.ty {
        return Err("its type differs, and its values would have to be rewritten");
    }
    let mut changes = Vec::new();
    if expected.default != found.default {
        changes.push(expected.default.map_or("DROP DEFAULT".to_owned(), |it| format!("SET DEFAULT {it}")));
    }
    if expected.not_null != found.not_null {
        changes.push(if expected.not_null { "SET NOT NULL" } else { "DROP NOT NULL" }.to_owned());
    }
    let changes: Vec<String> =
        changes.iter().map(|change| format!("ALTER COLUMN \"{name}\" {change}")).collect();
    Ok(changes.join(", "))
}

impl Work {
    /// Keys before what refers to them, and the exclusion, which locks the table, last.
    fn order(&self) -> u8 {
        match self {
            Self::Alter { .. } => 0,
            Self::Restrict { .. } => 3,
            Self::Build { ddl, .. } => match ddl.kind {
                ObjectKind::Unique => 1,
                ObjectKind::UniqueIndex => 2,
                ObjectKind::Check => 3,
                ObjectKind::Index => 4,
                ObjectKind::Reference => 5,
                _ => 6,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_defaults_not_null_and_fillfactor_are_changed_in_place() {
        let change =
            |expected, found| column("a", &ColumnDefinition::read(expected), &ColumnDefinition::read(found));
        assert_eq!(change("text not null", "text"), Ok("ALTER COLUMN \"a\" SET NOT NULL".into()));
        assert_eq!(
            change("boolean not null default false", "boolean default true"),
            Ok("ALTER COLUMN \"a\" SET DEFAULT false, ALTER COLUMN \"a\" SET NOT NULL".into())
        );
        assert_eq!(change("text", "text not null"), Ok("ALTER COLUMN \"a\" DROP NOT NULL".into()));
        assert!(change("integer", "bigint").is_err());
        assert!(change("text", "text collate \"C\"").is_err());
        let change =
            |expected, found| fillfactor(&TableDefinition::read(expected), &TableDefinition::read(found));
        assert_eq!(change("table fillfactor=85", "table"), Ok("SET (fillfactor = 85)".into()));
        assert_eq!(change("table", "table fillfactor=10"), Ok("RESET (fillfactor)".into()));
        assert!(change("table fillfactor=85", "table unlogged fillfactor=85").is_err());
    }
}
