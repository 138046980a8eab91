//! The rules the constraints keep, asked of the rows themselves: a constraint that was dropped, disabled or never
//! validated lets rows in that break it, and they stay when it comes back as `NOT VALID`.
//!
//! The rules are read from the committed definitions, so that none can be forgotten here.

use crate::migrate::catalog::{CATALOG, ConstraintDefinition};

/// One constraint as a query for the rows that break it.
pub(super) struct RuleCheck {
    /// `rule.<name of the constraint or index>`, or `rule.<table>_not_null`.
    pub(super) name: String,
    pub(super) sql: String,
}

/// All of them but the exclusion, which has a check of its own.
pub(super) fn all() -> Vec<RuleCheck> {
    let tables = CATALOG.tables().into_iter().flat_map(of_table);
    tables.chain(CATALOG.domains().into_iter().flat_map(of_domain)).collect()
}

/// The rules of a domain, of every table that has a column of it: which one, the row says.
fn of_domain(domain: &str) -> Vec<RuleCheck> {
    let broken = |name: &str| {
        let tables = CATALOG.tables().into_iter();
        let broken = tables.filter_map(|table| {
            let rules = CATALOG.domain_rules(table);
            let (_, condition) = rules.into_iter().find(|(rule, _)| *rule == name)?;
            let rows = head(table, &[format!("'{table}'")]);
            Some(format!("{rows} FROM slotkeeper.{table} x WHERE NOT ({condition})"))
        });
        broken.collect::<Vec<_>>().join(" UNION ALL ")
    };
    let check = |(name, _)| RuleCheck { name: format!("rule.{name}"), sql: broken(name) };
    CATALOG.constraints(domain).map(check).collect()
}

fn of_table(table: &str) -> Vec<RuleCheck> {
    let check = |name: &str, sql: String| RuleCheck { name: format!("rule.{name}"), sql };
    let mut checks = Vec::new();
    for (name, constraint) in CATALOG.constraints(table) {
        checks.extend(broken_by(table, constraint).map(|sql| check(name, sql)));
    }
    for (name, index) in CATALOG.unique_indexes(table) {
        checks.push(check(name, duplicates(table, &index.columns, index.condition.unwrap_or("true"))));
    }
    checks.extend(nulls(table).map(|sql| check(&format!("{table}_not_null"), sql)));
    checks
}

fn broken_by(table: &str, constraint: &ConstraintDefinition<'_>) -> Option<String> {
    let rows = rows(table);
    match constraint {
        ConstraintDefinition::Check { condition } => {
            Some(format!("{rows} FROM slotkeeper.{table} x WHERE NOT ({condition})"))
        }
        ConstraintDefinition::Key { columns, .. } => Some(duplicates(table, columns, "true")),
        ConstraintDefinition::Exclusion { .. } => None,
        ConstraintDefinition::Reference { columns, parent, parent_columns } => {
            let both = columns.iter().zip(parent_columns);
            let joined: Vec<String> = both.map(|(child, parent)| format!("p.{parent} = x.{child}")).collect();
            let given: Vec<String> = columns.iter().map(|column| format!("x.{column} IS NOT NULL")).collect();
            Some(format!(
                "{rows} FROM slotkeeper.{table} x LEFT JOIN slotkeeper.{parent} p ON {} \
                 WHERE {} AND p.{} IS NULL",
                joined.join(" AND "),
                given.join(" AND "),
                parent_columns[0],
            ))
        }
    }
}

/// Every row of a key that more than one row has; a key with a NULL is no key.
fn duplicates(table: &str, columns: &[&str], condition: &str) -> String {
    let given: Vec<String> = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
    let (rows, given, columns) = (rows(table), given.join(" AND "), columns.join(", "));
    format!(
        "{rows} FROM (SELECT * FROM slotkeeper.{table} WHERE {condition}) x JOIN (
             SELECT {columns} FROM slotkeeper.{table} WHERE {condition} AND {given}
              GROUP BY {columns} HAVING count(*) > 1) twice USING ({columns})"
    )
}

fn nulls(table: &str) -> Option<String> {
    let required = CATALOG.columns(table).filter(|(_, column)| column.not_null);
    let missing: Vec<String> = required.map(|(name, _)| format!("x.{name} IS NULL")).collect();
    let rows = rows(table);
    (!missing.is_empty()).then(|| format!("{rows} FROM slotkeeper.{table} x WHERE {}", missing.join(" OR ")))
}

/// The head of a query for rows: the tenant, where the table has one, and the rest of the primary key as text.
fn rows(table: &str) -> String {
    head(table, &[])
}

/// The same, with more before the key.
fn head(table: &str, before: &[String]) -> String {
    let key = CATALOG.primary_key(table);
    let tenant = if key.contains(&"tenant_id") { "x.tenant_id" } else { "NULL::uuid" };
    let rest = key.iter().filter(|column| **column != "tenant_id");
    let shown: Vec<String> = before.iter().cloned().chain(rest.map(|column| format!("x.{column}"))).collect();
    format!("SELECT {tenant}, concat_ws(',', {})", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::{Constraint, ConstraintKind};

    #[test]
    fn every_constraint_is_asked_of_the_rows_too() {
        let checks = all();
        for constraint in Constraint::ALL {
            let known = checks.iter().any(|check| check.name == format!("rule.{}", constraint.name()));
            assert_eq!(known, constraint.kind() != ConstraintKind::Exclusion, "{}", constraint.name());
        }
    }

    #[test]
    fn a_definition_becomes_a_query_for_what_breaks_it() {
        let of = |name: &str| all().into_iter().find(|check| check.name == name).map(|check| check.sql);
        let check = of("rule.holds_expires_check").unwrap_or_default();
        assert!(
            check.ends_with("slotkeeper.holds x WHERE NOT ((expires_at <= latest_expires_at))"),
            "{check}"
        );
        let reference = of("rule.allocations_resource_fkey").unwrap_or_default();
        assert!(reference.contains("p.tenant_id = x.tenant_id AND p.id = x.resource_id"), "{reference}");
        let unique = of("rule.bookings_claim_key").unwrap_or_default();
        assert!(unique.contains("GROUP BY tenant_id, claim_id"), "{unique}");
    }
}
