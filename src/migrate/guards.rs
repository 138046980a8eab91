//! Our own tables, described as a host describes its own.
//!
//! The description is read from `catalog.txt`, the definitions every migrated database has, so that a new migration
//! needs no second list of its constraints. A test sees to it that every constraint and unique index is understood.

use crate::ops::{Ident, TableName};
use crate::rollout::guard::{Guard, SHADOW};
use crate::rollout::rule::{Check, NoOverlap, Reference, Rule, Unique, WindowColumns};
use crate::schema::SchemaName;

const CATALOG: &str = include_str!("catalog.txt");

/// Of allocations that overlap, what is booked stays before what is held, blocked or external.
const PRECEDENCE: [(&str, &str); 1] = [("allocations", "kind = 'booked'")];

/// One line of the catalog.
struct Line<'a> {
    kind: &'a str,
    table: &'a str,
    name: &'a str,
    definition: &'a str,
}

/// A guard for each of our tables, in the order of their names.
pub(crate) fn guards(schema: &SchemaName) -> Vec<Guard> {
    let lines: Vec<Line<'_>> = CATALOG.lines().filter_map(Line::read).collect();
    let tables = lines.iter().filter(|line| line.kind == "table");
    tables.filter_map(|table| guard(schema, table.table, &lines)).collect()
}

fn guard(schema: &SchemaName, table: &str, lines: &[Line<'_>]) -> Option<Guard> {
    let of_table = || lines.iter().filter(|line| line.table == table);
    let column = |name: &str| {
        let known = of_table().any(|line| line.kind == "column" && line.name == name);
        if known { Ident::new(name).ok() } else { None }
    };
    let precedence = PRECEDENCE.iter().find(|(name, _)| *name == table).map(|(_, sql)| (*sql).to_owned());
    Some(Guard {
        table: TableName::new(schema.as_str(), table).ok()?,
        tenant: column("tenant_id"),
        confirmed_at: None,
        created_at: column("created_at"),
        live: of_table().find_map(Line::counted).map(|counted| counted.replace(" AND (NOT shadow)", "")),
        precedence,
        shadowed_at: column("shadowed_at"),
        shadow: column("shadow").or_else(|| Ident::new(SHADOW).ok())?,
        rules: of_table().filter(|line| line.is_rule()).filter_map(|line| line.rule(schema)).collect(),
    })
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut fields = line.splitn(4, '\t');
        let (kind, table, name) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Self { kind, table, name, definition: fields.next()? })
    }

    /// Every constraint, and the unique indexes that belong to none.
    fn is_rule(&self) -> bool {
        self.kind == "constraint"
            || self.kind == "index"
                && self.definition.starts_with("CREATE UNIQUE")
                && !CATALOG.contains(&format!("constraint\t{}\t{}\t", self.table, self.name))
    }

    fn rule(&self, schema: &SchemaName) -> Option<Rule> {
        let (name, text) = (Ident::new(self.name).ok()?, self.definition);
        if let Some(rest) = text.strip_prefix("CHECK (") {
            let expression = rest.strip_suffix(')')?.to_owned();
            Some(Rule::Check(Check { name, expression }))
        } else if let Some(rest) = text.strip_prefix("EXCLUDE USING gist (") {
            Some(Rule::NoOverlap(no_overlap(name, rest.split_once(')')?.0)?))
        } else if let Some(rest) = text.strip_prefix("FOREIGN KEY (") {
            Some(Rule::Reference(reference(name, rest, schema)?))
        } else {
            let columns = idents(text.split_once('(')?.1.split_once(')')?.0)?;
            let live_only = match text.split_once(" WHERE ") {
                None => false,
                // NULLs are distinct anyway.
                Some((_, condition)) if is_given(condition, &columns) => false,
                Some((_, condition)) if self.counted_by_table() == Some(condition) => true,
                Some(_) => return None,
            };
            Some(Rule::Unique(Unique { name, columns, live_only }))
        }
    }

    /// Which rows an exclusion counts.
    fn counted(&self) -> Option<&'a str> {
        let (_, condition) = self.definition.strip_prefix("EXCLUDE")?.split_once(" WHERE (")?;
        condition.strip_suffix(')')
    }

    /// Which rows the exclusion of this line's table counts.
    fn counted_by_table(&self) -> Option<&'static str> {
        let mut lines = CATALOG.lines().filter_map(Line::read).filter(|line| line.table == self.table);
        lines.find_map(|line| line.counted())
    }
}

/// `resource_id WITH =, during WITH &&, tenant_id WITH =`
fn no_overlap(name: Ident, elements: &str) -> Option<NoOverlap> {
    let (mut resource, mut window) = (Vec::new(), None);
    for element in elements.split(", ") {
        match element.split_once(" WITH ")? {
            ("tenant_id", "=") => {}
            (column, "=") => resource.push(ident(column)?),
            (column, "&&") => window = Some(WindowColumns::Range(ident(column)?)),
            _ => return None,
        }
    }
    Some(NoOverlap { name, resource, window: window? })
}

/// `tenant_id, resource_id) REFERENCES slotkeeper.resources(tenant_id, id), triggers OOOO`
fn reference(name: Ident, text: &str, schema: &SchemaName) -> Option<Reference> {
    let (columns, rest) = text.split_once(") REFERENCES slotkeeper.")?;
    let (parent, rest) = rest.split_once('(')?;
    let (parent_columns, _) = rest.split_once(')')?;
    let parent = TableName::new(schema.as_str(), parent).ok()?;
    Some(Reference { name, columns: idents(columns)?, parent, parent_columns: idents(parent_columns)? })
}

/// `(reference IS NOT NULL)`, of a column of the key.
fn is_given(condition: &str, columns: &[Ident]) -> bool {
    let is_given = |column: &Ident| condition == format!("({column} IS NOT NULL)");
    columns.iter().any(is_given)
}

fn idents(list: &str) -> Option<Vec<Ident>> {
    list.split(", ").map(ident).collect()
}

/// A column; not an expression.
fn ident(name: &str) -> Option<Ident> {
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if plain { Ident::new(name).ok() } else { None }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn every_constraint_and_unique_index_is_understood() {
        let schema = SchemaName::new("elsewhere").unwrap();
        let guards = guards(&schema);
        let known = |line: &Line<'_>| {
            let mut rules = guards.iter().filter(|guard| guard.table.name.as_str() == line.table);
            rules.any(|guard| guard.rules.iter().any(|rule| rule.name().as_str() == line.name))
        };
        let lines = CATALOG.lines().filter_map(Line::read).filter(Line::is_rule);
        let unknown: Vec<_> = lines.filter(|line| !known(line)).map(|line| line.name).collect();
        assert_eq!(unknown, [""; 0]);
        assert!(guards.iter().all(|guard| guard.table.schema.as_str() == "elsewhere"));
    }

    #[test]
    fn allocations_are_told_as_a_person_would_tell_them() {
        let guards = guards(&SchemaName::default());
        let guard = guards.iter().find(|guard| guard.table.name.as_str() == "allocations").unwrap();
        assert_eq!(guard.counted(), "(((released_at IS NULL))) AND NOT \"shadow\"");
        let told = guard.rules.iter().find(|rule| matches!(rule, Rule::NoOverlap(_))).unwrap();
        let expected = NoOverlap {
            name: Ident::new("allocations_resource_during_excl").unwrap(),
            resource: vec![Ident::new("resource_id").unwrap()],
            window: WindowColumns::range("during").unwrap(),
        };
        assert_eq!(told, &Rule::NoOverlap(expected));
        let Some(Rule::Reference(parent)) =
            guard.rules.iter().find(|rule| matches!(rule, Rule::Reference(_)))
        else {
            panic!("no reference")
        };
        assert_eq!(parent.parent.to_string(), "slotkeeper.resources");
    }

    #[test]
    fn an_index_over_an_expression_is_not_taken_for_something_else() {
        let definition = "CREATE UNIQUE INDEX x ON slotkeeper.t USING btree (tenant_id, lower(name))";
        let line = Line { kind: "index", table: "t", name: "x", definition };
        assert_eq!(line.rule(&SchemaName::default()), None);
        let definition = "CREATE UNIQUE INDEX x ON slotkeeper.t USING btree (tenant_id) WHERE active";
        assert_eq!(Line { definition, ..line }.rule(&SchemaName::default()), None);
    }
}
