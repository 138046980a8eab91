//! What each difference asks for.

use crate::migrate::drift::without_marks;
use crate::migrate::repair::Left;
use crate::migrate::{Drift, DriftKind, catalog};
use crate::ops::object::Ddl;
use crate::ops::{Ident, MigrateError, ObjectKind, TableName};
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
}

/// Sorts differences into work, in an order in which it can be done, and what is left.
pub(super) fn decide(drift: &[Drift], schema: &SchemaName) -> Result<(Vec<Action>, Vec<Left>), MigrateError> {
    let mut actions: Vec<Action> = Vec::new();
    let mut left: Vec<Left> = Vec::new();
    for difference in drift.iter().filter(|difference| difference.fails()) {
        let object = constraint_of(&difference.object);
        let decided = actions.iter().any(|action| action.object == object);
        if decided || left.iter().any(|left| left.object == object) {
            continue;
        }
        match act(&object, difference, drift, schema)? {
            Ok((how, work)) => actions.push(Action { object, how, work }),
            Err(why) => left.push(Left { object, why }),
        }
    }
    actions.sort_by_key(|action| action.work.order());
    Ok((actions, left))
}

/// The index of a constraint is mended with it.
fn constraint_of(object: &str) -> String {
    let constraint = object.replacen("index ", "constraint ", 1);
    if catalog::expected().contains_key(&constraint) { constraint } else { object.to_owned() }
}

type Decision = Result<(String, Work), &'static str>;

fn act(
    object: &str,
    difference: &Drift,
    drift: &[Drift],
    schema: &SchemaName,
) -> Result<Decision, MigrateError> {
    let Some((kind, name)) = object.split_once(' ') else { return Ok(Err("it is of no known kind")) };
    let (table, name) = name.split_once('.').unwrap_or((name, ""));
    let expected = catalog::expected().remove(object).unwrap_or_default();
    if let (Some(why), true) = (hopeless(table, &expected, drift), kind == "constraint" || kind == "index") {
        return Ok(Err(why));
    }
    Ok(match (kind, &difference.kind) {
        ("migration", DriftKind::Missing) => Err("it is pending: migrate first"),
        ("migration", _) => Err("another release, or somebody by hand, migrated this database"),
        ("table" | "column", DriftKind::Missing) => Err("what was in it is gone: restore a backup"),
        (_, DriftKind::Extra) => Err("it is not part of the schema, and somebody wanted it"),
        ("table", DriftKind::Changed { found, .. }) => {
            fillfactor(&expected, found).map(|change| (change.clone(), alter(schema, table, name, &change)))
        }
        ("column", DriftKind::Changed { found, .. }) => {
            column(name, &expected, found).map(|change| (change.clone(), alter(schema, table, name, &change)))
        }
        ("constraint" | "index", _) => {
            let in_the_way = match in_the_way(kind, table, name, &expected, difference, drift) {
                Ok(index) => index.then(|| format!("\"{schema}\".\"{name}\"")),
                Err(why) => return Ok(Err(why)),
            };
            let ddl = ddl(schema, table, name, &expected)?;
            Ok((format!("built as {}", ddl.definition), Work::Build { ddl, in_the_way }))
        }
        _ => Err("it is not of this release's making"),
    })
}

/// A constraint or index of what is missing itself.
fn hopeless(table: &str, expected: &str, drift: &[Drift]) -> Option<&'static str> {
    let missing =
        || drift.iter().filter(|other| other.kind == DriftKind::Missing).map(|other| other.object.as_str());
    let column_of = format!("column {table}.");
    let mut columns = missing().filter_map(|object| object.strip_prefix(&column_of));
    let words: Vec<&str> = expected.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    if missing().any(|object| object == format!("table {table}")) {
        Some("what was in its table is gone: restore a backup")
    } else if columns.any(|column| words.contains(&column)) {
        Some("a column it needs is gone: restore a backup")
    } else {
        None
    }
}

/// Whether an index has to go first: an exclusion cannot be made of one, and a plain index protects nothing.
fn in_the_way(
    kind: &str,
    table: &str,
    name: &str,
    expected: &str,
    difference: &Drift,
    drift: &[Drift],
) -> Result<bool, &'static str> {
    if kind != "constraint" || difference.kind != DriftKind::IndexOnly || !expected.starts_with("EXCLUDE") {
        return Ok(false);
    }
    let index = format!("index {table}.{name}");
    let unique = drift.iter().any(|other| {
        other.object == index
            && matches!(&other.kind, DriftKind::Changed { found, .. } if found.starts_with("CREATE UNIQUE"))
    });
    if unique { Err("a unique index has its name, and keeps a promise to somebody") } else { Ok(true) }
}

fn alter(schema: &SchemaName, table: &str, name: &str, change: &str) -> Work {
    let sql = format!("ALTER TABLE \"{schema}\".\"{table}\" {change}");
    // Cannot fail: both are names of ours.
    let table = TableName::new(schema.as_str(), table).unwrap_or_else(|_| unreachable!());
    Work::Alter { table, rule: format!("not null of {name}"), sql }
}

/// The object as the catalog has it, in this schema.
fn ddl(schema: &SchemaName, table: &str, name: &str, definition: &str) -> Result<Ddl, MigrateError> {
    let ident =
        |name: &str| Ident::new(name).map_err(|_| MigrateError::UnsupportedName { name: name.into() });
    let (base, _) = without_marks(definition);
    let on = format!(" ON slotkeeper.{table} ");
    let (kind, definition) = match base {
        base if base.starts_with("CHECK") => (ObjectKind::Check, base),
        base if base.starts_with("FOREIGN KEY") => (ObjectKind::Reference, base),
        base if base.starts_with("EXCLUDE") => (ObjectKind::Exclusion, base),
        base if base.starts_with("CREATE UNIQUE INDEX") => {
            (ObjectKind::UniqueIndex, base.split_once(&on).map_or(base, |(_, rest)| rest))
        }
        base if base.starts_with("CREATE INDEX") => {
            (ObjectKind::Index, base.split_once(&on).map_or(base, |(_, rest)| rest))
        }
        base => (ObjectKind::Unique, base),
    };
    let table = TableName { schema: ident(schema.as_str())?, name: ident(table)? };
    Ok(Ddl { table, name: ident(name)?, kind, definition: schema.qualify(definition) })
}

/// `SET (fillfactor = 85)` if nothing else differs.
fn fillfactor(expected: &str, found: &str) -> Result<String, &'static str> {
    let parts = |text: &str| {
        let (base, factor) = text.split_once(" fillfactor=").unwrap_or((text, ""));
        (base.to_owned(), factor.to_owned())
    };
    let ((expected, factor), (found, _)) = (parts(expected), parts(found));
    match factor.as_str() {
        _ if expected != found => Err("its rows would have to be rewritten"),
        "" => Ok("RESET (fillfactor)".into()),
        factor => Ok(format!("SET (fillfactor = {factor})")),
    }
}

/// The default and `NOT NULL`, if the type is the same.
fn column(name: &str, expected: &str, found: &str) -> Result<String, &'static str> {
    let parts = |text: &str| {
        let (ty, default) =
            text.split_once(" default ").map_or((text, None), |(ty, it)| (ty, Some(it.to_owned())));
        let ty_only = ty.strip_suffix(" not null");
        (ty_only.unwrap_or(ty).to_owned(), ty_only.is_some(), default)
    };
    let ((ty, not_null, default), (found_ty, found_not_null, found_default)) =
        (parts(expected), parts(found));
    if ty != found_ty {
        return Err("its type differs, and its values would have to be rewritten");
    }
    let mut changes = Vec::new();
    if default != found_default {
        changes.push(default.map_or("DROP DEFAULT".to_owned(), |it| format!("SET DEFAULT {it}")));
    }
    if not_null != found_not_null {
        changes.push(if not_null { "SET NOT NULL" } else { "DROP NOT NULL" }.to_owned());
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
        assert_eq!(column("a", "text not null", "text"), Ok("ALTER COLUMN \"a\" SET NOT NULL".into()));
        assert_eq!(
            column("a", "boolean not null default false", "boolean default true"),
            Ok("ALTER COLUMN \"a\" SET DEFAULT false, ALTER COLUMN \"a\" SET NOT NULL".into())
        );
        assert_eq!(column("a", "text", "text not null"), Ok("ALTER COLUMN \"a\" DROP NOT NULL".into()));
        assert!(column("a", "integer", "bigint").is_err());
        assert!(column("a", "text", "text collate \"C\"").is_err());
        assert_eq!(fillfactor("table fillfactor=85", "table"), Ok("SET (fillfactor = 85)".into()));
        assert_eq!(fillfactor("table", "table fillfactor=10"), Ok("RESET (fillfactor)".into()));
        assert!(fillfactor("table fillfactor=85", "table unlogged fillfactor=85").is_err());
    }
}
