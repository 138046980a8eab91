//! What the statements of a role's duties need.

use std::collections::BTreeSet;

use crate::migrate::grants::privilege::{Grant, Privilege};
use crate::migrate::grants::reading::{self, Use, Verb};
use crate::migrate::grants::role::Duty;
use crate::schema::SchemaName;
use crate::sql;

/// The column whose right to update is asked for where rows are only locked: one that decides nothing. In the first two
/// the audit finds a change, because the snapshot and the allocations say the same.
const LOCK_COLUMNS: [(&str, &str); 6] = [
    ("confirmations", "rows"),
    ("holds", "rows"),
    ("allocations", "created_at"),
    ("bookings", "created_at"),
    ("offered_slots", "first_offered_at"),
    ("resources", "created_at"),
];

/// Every privilege that the statements of these duties need, by table.
pub(super) fn needs(duties: &BTreeSet<Duty>) -> Vec<Grant> {
    let texts = sql::texts(&SchemaName::default());
    let ours = texts.iter().filter(|text| duties.contains(&Duty::of(name(text))));
    grants(&ours.flat_map(|text| reading::uses(text)).collect())
}

/// A statement's name, on its first line.
fn name(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_start_matches("-- ")
}

/// As privileges. Where rows are updated, the lock needs nothing more.
pub(super) fn grants(uses: &BTreeSet<Use>) -> Vec<Grant> {
    let grant = |(table, verb): &Use| {
        let (privilege, column) = match verb {
            Verb::Select => (Privilege::Select, None),
            Verb::Insert => (Privilege::Insert, None),
            Verb::Update => (Privilege::Update, None),
            Verb::Delete => (Privilege::Delete, None),
            Verb::Lock if uses.contains(&(table.clone(), Verb::Update)) => return None,
            Verb::Lock => (Privilege::Update, lock_column(table)),
        };
        Some(Grant { table: table.clone(), privilege, column })
    };
    let grants: BTreeSet<Grant> = uses.iter().filter_map(grant).collect();
    grants.into_iter().collect()
}

/// `None` would mean every column, so a test sees to it that each locked table is in the list.
fn lock_column(table: &str) -> Option<&'static str> {
    LOCK_COLUMNS.iter().find(|(locked, _)| *locked == table).map(|(_, column)| *column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::catalog::CATALOG;

    /// The privileges of one duty, a table a line.
    fn table(duty: Duty) -> Vec<String> {
        let grants = needs(&BTreeSet::from([duty]));
        let line = |of: &[Grant]| {
            let clauses: Vec<_> = of.iter().map(Grant::clause).collect();
            format!("| `{}` | {} |", of[0].table, clauses.join(", "))
        };
        grants.chunk_by(|a, b| a.table == b.table).map(line).collect()
    }

    fn clauses(duties: &[Duty], table: &str) -> String {
        let needs = needs(&duties.iter().copied().collect());
        let grants = needs.iter().filter(|grant| grant.table == table);
        grants.map(Grant::clause).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn the_service_changes_no_record_and_no_event_and_deletes_nothing() {
        assert_eq!(clauses(&[Duty::Service], "confirmations"), "SELECT, INSERT");
        assert_eq!(clauses(&[Duty::Service], "outbox"), "INSERT");
        let deletes =
            |duty| needs(&BTreeSet::from([duty])).iter().any(|grant| grant.privilege == Privilege::Delete);
        assert_eq!(Duty::ALL.map(deletes), [false, true, true]);
    }

    #[test]
    fn a_role_with_several_duties_is_asked_for_each_privilege_once() {
        let lock_within = "the lock is part of the update";
        assert_eq!(clauses(&Duty::ALL, "allocations"), "SELECT, INSERT, UPDATE, DELETE", "{lock_within}");
        assert_eq!(clauses(&Duty::ALL, "confirmations"), "SELECT, INSERT, UPDATE (rows), DELETE");
    }

    #[test]
    fn every_table_that_is_locked_has_a_column_to_lock_it_by() {
        for text in sql::texts(&SchemaName::default()) {
            for (table, verb) in reading::uses(&text) {
                assert!(verb != Verb::Lock || lock_column(&table).is_some(), "{table} in {}", name(&text));
            }
        }
        for (table, column) in LOCK_COLUMNS {
            assert!(CATALOG.columns(table).any(|(name, _)| name == column), "{table} has no {column}");
        }
        assert_eq!(lock_column("migrations"), None, "the list can be incomplete");
    }

    /// The rows of the table that follows a duty's heading.
    fn listed(page: &str, duty: Duty) -> Vec<&str> {
        let after = page.split_once(&format!("**`{duty}`**")).map_or("", |(_, after)| after);
        let rows = after.lines().skip_while(|line| !line.starts_with("| `"));
        rows.take_while(|line| line.starts_with("| `")).collect()
    }

    #[test]
    fn the_readme_lists_what_is_derived() {
        let readme = include_str!("../../../README.md");
        let wrong = readme.replace("| `confirmations` | SELECT", "| `confirmations` | UPDATE");
        for duty in Duty::ALL {
            assert_eq!(listed(readme, duty), table(duty), "{duty}");
        }
        assert_ne!(listed(&wrong, Duty::Service), table(Duty::Service), "another table would be found");
    }
}
