//! Windows outside the rule, by raw SQL: what the values refuse, the tables refuse too.

use crate::support::*;
use slotkeeper::{InvalidInput, Window};

/// Ranges as text. Those PostgreSQL itself cannot make have no constraint.
const BAD: [(&str, bool); 9] = [
    ("empty", true),
    // Scenario 65: the end is the start.
    ("[2030-01-01 10:00+00,2030-01-01 10:00+00)", true),
    // Under a microsecond: rounds to nothing.
    ("[2030-01-01 10:00:00.0000001+00,2030-01-01 10:00:00.0000003+00)", true),
    ("[2030-01-01 10:00+00,2030-01-01 11:00+00]", true),
    ("(2030-01-01 10:00+00,2030-01-01 11:00+00)", true),
    ("[2030-01-01 10:00+00,)", true),
    ("(,2030-01-01 10:00+00)", true),
    ("[2030-01-01 10:00+00,infinity)", true),
    ("[2030-01-01 11:00+00,2030-01-01 10:00+00)", false),
];

const MORE: [&str; 3] = [
    "[-infinity,2030-01-01 10:00+00)",
    "[1969-12-31 23:00+00,1970-01-01 01:00+00)",
    "[2030-01-01 00:00+00,2031-02-05 00:00:00.000001+00)",
];

const GOOD: [&str; 2] =
    ["[2030-01-01 10:00+00,2030-01-01 10:00:00.000001+00)", "[2030-01-01 00:00+00,2031-02-05 00:00+00)"];

/// Scenario 65.
#[tokio::test]
async fn a_window_outside_the_rule_is_refused_by_the_named_rule_in_every_table() {
    let h = House::open().await;
    let table = h.table().await;
    let client = h.db.client().await.unwrap();
    let ids = format!("'{}', gen_random_uuid()", h.tenant);
    let into = [
        (
            "allocations",
            format!(
                "(tenant_id, id, resource_id, kind, claim_id, during) VALUES ({ids}, '{table}', 'booked', gen_random_uuid(), $1::text::tstzrange)"
            ),
        ),
        (
            "holds",
            format!(
                "(tenant_id, id, status, buffer_before_seconds, buffer_after_seconds, rows, expires_at, latest_expires_at, during) VALUES ({ids}, 'active', 0, 0, 1, now(), now(), $1::text::tstzrange)"
            ),
        ),
        (
            "bookings",
            format!(
                "(tenant_id, id, status, revision, buffer_before_seconds, buffer_after_seconds, metadata, during) VALUES ({ids}, 'pending', 1, 0, 0, '{{}}', $1::text::tstzrange)"
            ),
        ),
        (
            "allocations_archive",
            format!(
                "(tenant_id, id, resource_id, kind, claim_id, shadow, created_at, during) VALUES ({ids}, '{table}', 'booked', gen_random_uuid(), false, now(), $1::text::tstzrange)"
            ),
        ),
    ];
    // Every window there is, so that a new table cannot come without the rule.
    let columns =
        "SELECT c.relname::text || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'slotkeeper'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
            AND coalesce((SELECT nullif(t.typbasetype, 0) FROM pg_type t WHERE t.oid = a.atttypid), a.atttypid)
                IN ('tstzrange'::regtype, 'tsrange'::regtype, 'daterange'::regtype)";
    let columns = client.query(columns, &[]).await.unwrap();
    let mut columns: Vec<String> = columns.iter().map(|row| row.get(0)).collect();
    let mut tried: Vec<String> = into.iter().map(|(table, _)| format!("{table}.during")).collect();
    columns.sort();
    tried.sort();
    assert_eq!(columns, tried);
    for (table, values) in into {
        let sql = format!("INSERT INTO slotkeeper.{table} {values}");
        let digest = h.digest().await;
        for (range, by_check) in BAD.into_iter().chain(MORE.map(|range| (range, true))) {
            let error = client.execute(&sql, &[&range]).await.expect_err(range);
            let name = error.as_db_error().and_then(|error| error.constraint());
            assert_eq!(name, by_check.then_some("booked_window_check"), "{table} {range}: {error:?}");
        }
        assert_eq!(h.digest().await, digest);
        // The statement is sound, so it was the window.
        for range in GOOD {
            h.sql(&format!("DELETE FROM slotkeeper.{table}")).await;
            assert_eq!(client.execute(&sql, &[&range]).await.unwrap(), 1, "{table} {range}");
        }
    }
}

/// Scenario 65, in code.
#[test]
fn a_window_outside_the_rule_is_no_value() {
    let (a, nano) = (at(0), chrono::TimeDelta::nanoseconds(1));
    let days = chrono::TimeDelta::days;
    let micro = chrono::TimeDelta::microseconds(1);
    assert_eq!(Window::new(a, a), Err(InvalidInput::WindowReversed));
    assert_eq!(Window::new(at(60), a), Err(InvalidInput::WindowReversed));
    assert_eq!(Window::new(a, a + nano), Err(InvalidInput::WindowPrecision));
    assert_eq!(Window::new(a + nano, at(60)), Err(InvalidInput::WindowPrecision));
    assert_eq!(Window::new(a, a + days(400) + micro), Err(InvalidInput::WindowTooLong));
    assert!(Window::new(a, a + days(400)).is_ok() && Window::new(a, a + micro).is_ok());
    let epoch = chrono::DateTime::UNIX_EPOCH;
    assert_eq!(Window::new(epoch - micro, epoch + days(1)), Err(InvalidInput::WindowOutOfRange));
    assert!(Window::new(epoch, epoch + days(1)).is_ok());
    let end = chrono::DateTime::from_timestamp(7_258_118_400, 0).unwrap();
    assert_eq!(Window::new(end - days(1), end + micro), Err(InvalidInput::WindowOutOfRange));
    assert!(Window::new(end - days(1), end).is_ok());
    let never = chrono::DateTime::<chrono::Utc>::MAX_UTC;
    assert!(Window::new(a, never).is_err() && Window::starting_at(never, days(1)).is_err());
}
