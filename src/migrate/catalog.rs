//! What a database of this release has: `catalog.txt`, written by `catalog.sql` on a freshly migrated database.

use std::collections::BTreeMap;

use crate::constraint::Constraint;

pub(super) const EXPECTED: &str = include_str!("catalog.txt");

/// Objects with their definitions, in order.
pub(super) type Definitions = BTreeMap<String, String>;

/// The tables of this release, without the schema.
pub(super) fn tables() -> Vec<&'static str> {
    let mut tables: Vec<&str> = Constraint::ALL.iter().map(|constraint| constraint.table()).collect();
    tables.dedup();
    tables
}

/// What a database of this release has.
pub(super) fn expected() -> Definitions {
    definitions(EXPECTED.lines())
}

pub(super) fn definitions<'a>(lines: impl Iterator<Item = &'a str>) -> Definitions {
    let object = |line: &str| {
        let mut fields = line.splitn(4, '\t');
        let mut field = || fields.next().unwrap_or_default().to_owned();
        let (kind, table, name, definition) = (field(), field(), field(), field());
        let dot = if name.is_empty() { "" } else { "." };
        (format!("{kind} {table}{dot}{name}"), definition)
    };
    lines.map(object).collect()
}
