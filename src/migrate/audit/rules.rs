//! The rules the constraints keep, asked of the rows themselves: a constraint that was dropped, disabled or never
//! validated lets rows in that break it, and they stay when it comes back as `NOT VALID`.
//!
//! The rules are read from the committed definitions, so that none can be forgotten here.

use crate::migrate::catalog::EXPECTED;

/// One constraint as a query for the rows that break it.
pub(super) struct RuleCheck {
    /// `rule.<name of the constraint or index>`, or `rule.<table>_not_null`.
    pub(super) name: String,
    pub(super) sql: String,
}

/// All of them but the exclusion, which has a check of its own.
pub(super) fn all() -> Vec<RuleCheck> {
    let lines: Vec<Vec<&str>> = EXPECTED.lines().map(|line| line.splitn(4, '\t').collect()).collect();
    let mut checks = Vec::new();
    for fields in &lines {
        let &[kind, table, name, definition] = fields.as_slice() else { continue };
        let key = key_of(&lines, table);
        let sql = match kind {
            "constraint" => broken_by(table, &key, definition),
            // A unique index that is no constraint: a partial one.
            "index" if definition.contains(") WHERE (") => definition
                .strip_prefix(&format!("CREATE UNIQUE INDEX {name} ON slotkeeper.{table} USING btree ("))
                .and_then(|rest| rest.split_once(") WHERE "))
                .map(|(columns, condition)| duplicates(table, &key, columns, condition)),
            "table" => nulls(&lines, table, &key),
            _ => None,
        };
        let name = if kind == "table" { format!("{table}_not_null") } else { name.to_owned() };
        checks.extend(sql.map(|sql| RuleCheck { name: format!("rule.{name}"), sql }));
    }
    checks
}

fn broken_by(table: &str, key: &[&str], definition: &str) -> Option<String> {
    let (tenant, id) = identity(key);
    if let Some(condition) = definition.strip_prefix("CHECK ") {
        return Some(format!("SELECT {tenant}, {id} FROM slotkeeper.{table} x WHERE NOT {condition}"));
    }
    for unique in ["PRIMARY KEY (", "UNIQUE ("] {
        if let Some(columns) = definition.strip_prefix(unique) {
            return Some(duplicates(table, key, columns.trim_end_matches(')'), "true"));
        }
    }
    let (columns, rest) = definition.strip_prefix("FOREIGN KEY (")?.split_once(") REFERENCES slotkeeper.")?;
    let (parent, rest) = rest.split_once('(')?;
    let (parent_columns, _) = rest.split_once(')')?;
    let columns: Vec<&str> = columns.split(", ").collect();
    let parent_columns: Vec<&str> = parent_columns.split(", ").collect();
    let both = columns.iter().zip(&parent_columns);
    let joined: Vec<String> = both.map(|(child, parent)| format!("p.{parent} = x.{child}")).collect();
    let given: Vec<String> = columns.iter().map(|column| format!("x.{column} IS NOT NULL")).collect();
    Some(format!(
        "SELECT {tenant}, {id} FROM slotkeeper.{table} x LEFT JOIN slotkeeper.{parent} p ON {} \
         WHERE {} AND p.{} IS NULL",
        joined.join(" AND "),
        given.join(" AND "),
        parent_columns[0],
    ))
}

/// Every row of a key that more than one row has; a key with a NULL is no key.
fn duplicates(table: &str, key: &[&str], columns: &str, condition: &str) -> String {
    let (tenant, id) = identity(key);
    let given: Vec<String> = columns.split(", ").map(|column| format!("{column} IS NOT NULL")).collect();
    let given = given.join(" AND ");
    format!(
        "SELECT {tenant}, {id} FROM (SELECT * FROM slotkeeper.{table} WHERE {condition}) x JOIN (
             SELECT {columns} FROM slotkeeper.{table} WHERE {condition} AND {given}
              GROUP BY {columns} HAVING count(*) > 1) twice USING ({columns})"
    )
}

fn nulls(lines: &[Vec<&str>], table: &str, key: &[&str]) -> Option<String> {
    let (tenant, id) = identity(key);
    let columns = lines.iter().filter(|fields| fields[0] == "column" && fields[1] == table);
    let required = columns
        .filter(|fields| fields[3].split(" default ").next().is_some_and(|ty| ty.ends_with(" not null")));
    let missing: Vec<String> = required.map(|fields| format!("x.{} IS NULL", fields[2])).collect();
    (!missing.is_empty())
        .then(|| format!("SELECT {tenant}, {id} FROM slotkeeper.{table} x WHERE {}", missing.join(" OR ")))
}

/// The columns of a table's primary key.
fn key_of<'a>(lines: &[Vec<&'a str>], table: &str) -> Vec<&'a str> {
    let line = lines.iter().find(|fields| {
        fields[0] == "constraint" && fields[1] == table && fields[3].starts_with("PRIMARY KEY (")
    });
    let columns = line.and_then(|fields| fields[3].strip_prefix("PRIMARY KEY ("));
    columns.map(|columns| columns.trim_end_matches(')').split(", ").collect()).unwrap_or_default()
}

/// The tenant, where the table has one, and the rest of the key as text.
fn identity(key: &[&str]) -> (&'static str, String) {
    let tenant = if key.first() == Some(&"tenant_id") { "x.tenant_id" } else { "NULL::uuid" };
    let rest = key.iter().filter(|column| **column != "tenant_id");
    let rest: Vec<String> = rest.map(|column| format!("x.{column}")).collect();
    (tenant, format!("concat_ws(',', {})", rest.join(", ")))
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
        let check = of("rule.holds_claimed_check").unwrap_or_default();
        assert!(check.ends_with("slotkeeper.holds x WHERE NOT ((claimed = requested))"), "{check}");
        let reference = of("rule.allocations_resource_fkey").unwrap_or_default();
        assert!(reference.contains("p.tenant_id = x.tenant_id AND p.id = x.resource_id"), "{reference}");
        let unique = of("rule.bookings_claim_key").unwrap_or_default();
        assert!(unique.contains("GROUP BY tenant_id, claim_id"), "{unique}");
    }
}
