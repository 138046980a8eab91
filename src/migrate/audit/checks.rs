//! The list of checks.

use crate::migrate::audit::rules;

/// A check as a query: tenant and id of each row that should not be as it is.
pub(super) struct Check {
    pub(super) name: String,
    pub(super) sql: String,
}

macro_rules! files {
    ($($name:literal)+) => { [$((concat!("audit.", $name), include_str!(concat!($name, ".sql")))),+] };
}

/// What one row promises of another. The rules of single constraints follow from the committed definitions.
const FILES: [(&str, &str); 17] = files! {
    "allocation_overlap" "allocation_held" "allocation_booked" "allocation_shadow"
    "allocation_mark" "allocation_hidden"
    "blackout_torn" "blackout_event"
    "hold_places" "hold_consumed"
    "booking_places" "booking_window" "booking_history" "booking_confirmation" "booking_decisions"
    "decision_effect" "event_subject"
};

/// Rows that wait for somebody, and are not broken.
pub(super) const WAITING: &str = "allocation_shadow";

pub(super) fn all() -> Vec<Check> {
    let files =
        FILES.map(|(name, sql)| Check { name: name.trim_start_matches("audit.").into(), sql: sql.into() });
    let rules = rules::all().into_iter().map(|rule| Check { name: rule.name, sql: rule.sql });
    files.into_iter().chain(rules).collect()
}

/// Counts per tenant, with the first ids of each. `bounds` is what the checks know of time: `now`, by the database's
/// clock and after the snapshot was taken.
pub(super) fn counting(check: &str, samples: usize) -> String {
    format!(
        "WITH bounds (now) AS (
             SELECT statement_timestamp()
         ), found (tenant_id, id) AS (\n{check}\n
         ), numbered AS (
             SELECT f.tenant_id::text AS tenant, f.id::text AS id, count(*) OVER (PARTITION BY f.tenant_id) AS rows,
                    row_number() OVER (PARTITION BY f.tenant_id ORDER BY f.id) AS n
               FROM found f
         )
         SELECT tenant, rows, array_agg(id ORDER BY n) FROM numbered WHERE n <= {samples}
          GROUP BY tenant, rows ORDER BY rows DESC, tenant"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn every_file_is_in_the_list_and_names_itself() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/migrate/audit");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "sql")).collect();
        assert_eq!(files.len(), FILES.len());
        for (name, sql) in FILES {
            assert!(sql.starts_with(&format!("-- {name}\n")), "{name} does not name itself");
            assert!(!sql.contains(';'), "{name} is one query");
        }
        assert!(all().iter().any(|check| check.name == WAITING));
    }
}
