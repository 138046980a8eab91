//! Our own tables, described as a host describes its own.
//!
//! The description is derived from the [`Catalog`](crate::migrate::catalog::Catalog), so that a new migration needs no
//! second list of its constraints. A test sees to it that every constraint and unique index is understood.

use crate::migrate::catalog::definition::is_column;
use crate::migrate::catalog::{CATALOG, ConstraintDefinition, IndexDefinition};
use crate::ops::{Ident, TableName};
use crate::rollout::guard::{Guard, SHADOW};
use crate::rollout::rule::{Check, NoOverlap, Reference, Rule, Unique, WindowColumns};
use crate::schema::SchemaName;

/// Of allocations that overlap, what is booked stays before what is held, blocked or external.
const PRECEDENCE: [(&str, &str); 1] = [("allocations", "kind = 'booked'")];

/// A guard for each of our tables, in the order of their names.
pub(crate) fn guards(schema: &SchemaName) -> Vec<Guard> {
    CATALOG.tables().into_iter().filter_map(|table| guard(schema, table)).collect()
}

fn guard(schema: &SchemaName, table: &str) -> Option<Guard> {
    let column = |name: &str| {
        let known = CATALOG.columns(table).any(|(column, _)| column == name);
        if known { Ident::new(name).ok() } else { None }
    };
    let precedence = PRECEDENCE.iter().find(|(name, _)| *name == table).map(|(_, sql)| (*sql).to_owned());
    let live = CATALOG.constraints(table).find_map(|(_, constraint)| counted(constraint));
    let constraints =
        CATALOG.constraints(table).filter_map(|(name, constraint)| of_constraint(schema, name, constraint));
    let indexes = CATALOG.unique_indexes(table).filter_map(|(name, index)| of_index(name, index, live));
    let domains = CATALOG.domain_rules(table).into_iter().filter_map(|(name, expression)| {
        let name = Ident::new(name).ok()?;
        Some(Rule::Check(Check { name, expression }))
    });
    Some(Guard {
        table: TableName::new(schema.as_str(), table).ok()?,
        tenant: column("tenant_id"),
        confirmed_at: None,
        created_at: column("created_at"),
        live: live.map(|live| live.replace(" AND (NOT shadow)", "")),
        precedence,
        shadowed_at: column("shadowed_at"),
        shadow: column("shadow").or_else(|| Ident::new(SHADOW).ok())?,
        rules: constraints.chain(indexes).chain(domains).collect(),
    })
}

/// Which rows an exclusion counts.
fn counted<'a>(constraint: &ConstraintDefinition<'a>) -> Option<&'a str> {
    match constraint {
        ConstraintDefinition::Exclusion { condition, .. } => *condition,
        _ => None,
    }
}

fn of_constraint(schema: &SchemaName, name: &str, constraint: &ConstraintDefinition<'_>) -> Option<Rule> {
    let name = Ident::new(name).ok()?;
    Some(match constraint {
        ConstraintDefinition::Check { condition } => {
            Rule::Check(Check { name, expression: (*condition).to_owned() })
        }
        ConstraintDefinition::Key { columns, .. } => {
            Rule::Unique(Unique { name, columns: idents(columns)?, live_only: false })
        }
        ConstraintDefinition::Reference { columns, parent, parent_columns } => {
            let parent = TableName::new(schema.as_str(), *parent).ok()?;
            let (columns, parent_columns) = (idents(columns)?, idents(parent_columns)?);
            Rule::Reference(Reference { name, columns, parent, parent_columns })
        }
        ConstraintDefinition::Exclusion { elements, .. } => Rule::NoOverlap(no_overlap(name, elements)?),
    })
}

/// A unique index with a condition: that a column of its key is given, or the one the table's exclusion has too.
fn of_index(name: &str, index: &IndexDefinition<'_>, live: Option<&str>) -> Option<Rule> {
    let (name, columns) = (Ident::new(name).ok()?, idents(&index.columns)?);
    let live_only = match index.condition {
        None => false,
        // NULLs are distinct anyway.
        Some(condition) if is_given(condition, &columns) => false,
        condition if condition == live => true,
        Some(_) => return None,
    };
    Some(Rule::Unique(Unique { name, columns, live_only }))
}

/// `resource_id WITH =, during WITH &&, tenant_id WITH =`
fn no_overlap(name: Ident, elements: &[(&str, &str)]) -> Option<NoOverlap> {
    let (mut resource, mut window) = (Vec::new(), None);
    for element in elements {
        match *element {
            ("tenant_id", "=") => {}
            (column, "=") => resource.push(ident(column)?),
            (column, "&&") => window = Some(WindowColumns::Range(ident(column)?)),
            _ => return None,
        }
    }
    Some(NoOverlap { name, resource, window: window? })
}

/// `(reference IS NOT NULL)`, of a column of the key.
fn is_given(condition: &str, columns: &[Ident]) -> bool {
    let is_given = |column: &Ident| condition == format!("({column} IS NOT NULL)");
    columns.iter().any(is_given)
}

fn idents(columns: &[&str]) -> Option<Vec<Ident>> {
    columns.iter().map(|column| ident(column)).collect()
}

/// A column; not an expression.
fn ident(name: &str) -> Option<Ident> {
    if is_column(name) { Ident::new(name).ok() } else { None }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn every_constraint_and_unique_index_is_understood() {
        let schema = SchemaName::new("elsewhere").unwrap();
        let guards = guards(&schema);
        for table in CATALOG.tables() {
            let guard = guards.iter().find(|guard| guard.table.name.as_str() == table).unwrap();
            let known: Vec<_> = guard.rules.iter().map(|rule| rule.name().as_str()).collect();
            let constraints = CATALOG.constraints(table).map(|(name, _)| name);
            let indexes = CATALOG.unique_indexes(table).map(|(name, _)| name);
            let domains = CATALOG.domain_rules(table);
            let domains = domains.iter().map(|(name, _)| *name);
            assert_eq!(known, constraints.chain(indexes).chain(domains).collect::<Vec<_>>(), "{table}");
        }
        assert!(guards.iter().all(|guard| guard.table.schema.as_str() == "elsewhere"));
    }

    #[test]
    fn allocations_are_described_as_a_host_would_describe_them() {
        let guards = guards(&SchemaName::default());
        let guard = guards.iter().find(|guard| guard.table.name.as_str() == "allocations").unwrap();
        assert_eq!(guard.counted(), "(((released_at IS NULL))) AND NOT \"shadow\"");
        let found = guard.rules.iter().find(|rule| matches!(rule, Rule::NoOverlap(_))).unwrap();
        let expected = NoOverlap {
            name: Ident::new("allocations_resource_during_excl").unwrap(),
            resource: vec![Ident::new("resource_id").unwrap()],
            window: WindowColumns::range("during").unwrap(),
        };
        assert_eq!(found, &Rule::NoOverlap(expected));
        let Some(Rule::Reference(parent)) =
            guard.rules.iter().find(|rule| matches!(rule, Rule::Reference(_)))
        else {
            panic!("no reference")
        };
        assert_eq!(parent.parent.to_string(), "slotkeeper.resources");
    }

    #[test]
    fn an_index_over_an_expression_is_not_taken_for_something_else() {
        let rule = |body: &str| {
            let text = format!("CREATE UNIQUE INDEX x ON slotkeeper.t USING btree {body}");
            of_index("x", &IndexDefinition::read("t", "x", &text).unwrap(), Some("active"))
        };
        assert!(rule("(tenant_id, name)").is_some() && rule("(tenant_id) WHERE active").is_some());
        assert_eq!(rule("(tenant_id, lower(name))"), None);
        assert_eq!(rule("(tenant_id) WHERE passive"), None);
    }
}
