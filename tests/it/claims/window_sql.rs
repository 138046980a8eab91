//! P2: what a window may be, in the tables as in `Window`.

use super::common::*;
use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use tokio_postgres::{Client, error::SqlState};

/// Not a window, and why.
const REFUSED: &[(&str, &str)] = &[
    ("empty", "'empty'"),
    ("empty by its bounds", "'[2030-01-01,2030-01-01)'"),
    ("empty by rounding", "tstzrange('2030-01-01 00:00:00.0000001Z', '2030-01-01 00:00:00.0000004Z')"),
    ("no start", "'[,2030-01-01)'"),
    ("no end", "'[2030-01-01,)'"),
    ("neither", "'(,)'"),
    ("both included", "'[2030-01-01,2030-01-02]'"),
    ("both excluded", "'(2030-01-01,2030-01-02)'"),
    ("the wrong one included", "'(2030-01-01,2030-01-02]'"),
    ("infinite end", "'[2030-01-01,infinity)'"),
    ("infinite start", "'[-infinity,2030-01-01)'"),
    (
        "longer than 400 days",
        "tstzrange('2030-01-01Z', timestamptz '2030-01-01Z' + interval '400 days 1 us')",
    ),
    ("before 1970", "'[1969-12-31 23:59:59Z,1970-01-02)'"),
    ("after 2200", "'[2199-12-31,2200-01-01 00:00:00.000001Z)'"),
];

/// Accepted, and just within the rule.
const ACCEPTED: &[&str] = &[
    "tstzrange('2030-01-01Z', timestamptz '2030-01-01Z' + interval '400 days')",
    "'[1970-01-01Z,1970-01-02)'",
    "'[2199-12-31Z,2200-01-01Z)'",
    "'[2040-01-01Z,2040-01-01 00:00:00.000001Z)'",
];

fn insert(table: &str, tenant: TenantId, resource: ResourceId, range: &str) -> String {
    match table {
        "allocations" => format!(
            "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
             VALUES ('{tenant}', gen_random_uuid(), '{resource}', {range}, 'booked', gen_random_uuid())"
        ),
        "holds" => format!(
            "INSERT INTO slotkeeper.holds (tenant_id, id, status, during, buffer_before_seconds, buffer_after_seconds,
                    rows, expires_at, latest_expires_at)
             VALUES ('{tenant}', gen_random_uuid(), 'active', {range}, 0, 0, 1, now(), now())"
        ),
        _ => format!(
            "INSERT INTO slotkeeper.bookings (tenant_id, id, status, revision, during, buffer_before_seconds,
                    buffer_after_seconds, metadata)
             VALUES ('{tenant}', gen_random_uuid(), 'pending', 1, {range}, 0, 0, '{{}}')"
        ),
    }
}

/// Scenario 65, its half in the database.
#[tokio::test]
async fn raw_sql_cannot_store_what_is_no_window() {
    let h = House::open().await;
    let resource = h.table().await;
    let client = h.db.client().await.unwrap();
    for table in ["allocations", "holds", "bookings"] {
        for (what, range) in REFUSED {
            let refused = client.batch_execute(&insert(table, h.tenant, resource, range)).await;
            let refused = refused.expect_err(what);
            let error = refused.as_db_error().unwrap();
            assert_eq!(error.code(), &SqlState::CHECK_VIOLATION, "{table}: {what}");
            assert_eq!(error.constraint(), Some("booked_window_check"), "{table}: {what}");
        }
        let refused = client.batch_execute(&insert(table, h.tenant, resource, "NULL")).await.unwrap_err();
        let error = refused.as_db_error().unwrap();
        assert_eq!((error.code(), error.column()), (&SqlState::NOT_NULL_VIOLATION, Some("during")));
        for range in ACCEPTED {
            client.batch_execute(&insert(table, h.tenant, resource, range)).await.expect(range);
        }
    }
    // The negative control: without the rule the first one is stored, and overlaps nothing.
    let drop = "ALTER DOMAIN slotkeeper.booked_window DROP CONSTRAINT booked_window_check";
    client.batch_execute(drop).await.unwrap();
    for table in ["allocations", "holds", "bookings"] {
        client.batch_execute(&insert(table, h.tenant, resource, "'empty'")).await.unwrap();
    }
}

/// Scenario 65, its half in code: the same rule, so nothing valid here is refused there.
#[test]
fn the_same_is_refused_in_code() {
    let day = |year: &str| DateTime::parse_from_rfc3339(year).unwrap().to_utc();
    let from = day("2030-01-01T00:00:00Z");
    assert_eq!(Window::new(from, from), Err(InvalidInput::WindowReversed));
    let nanos = from + TimeDelta::nanoseconds(400);
    assert_eq!(Window::new(from, nanos), Err(InvalidInput::WindowPrecision));
    let long = from + TimeDelta::days(400);
    assert!(Window::new(from, long).is_ok());
    assert_eq!(Window::new(from, long + TimeDelta::microseconds(1)), Err(InvalidInput::WindowTooLong));
    let early = day("1969-12-31T23:59:59Z");
    assert_eq!(Window::new(early, early + TimeDelta::days(1)), Err(InvalidInput::WindowOutOfRange));
    let last = day("2200-01-01T00:00:00Z");
    assert!(Window::new(last - TimeDelta::days(1), last).is_ok());
    assert_eq!(
        Window::new(last - TimeDelta::days(1), last + TimeDelta::microseconds(1)),
        Err(InvalidInput::WindowOutOfRange)
    );
}

/// Close together, so that touching, nesting and equal windows are as frequent as separate ones.
fn near() -> impl Strategy<Value = Window> {
    (0_i64..40, 1_i64..20, prop::bool::ANY).prop_map(|(from, length, tiny)| {
        let unit = |n| if tiny { TimeDelta::microseconds(n) } else { TimeDelta::minutes(n) };
        Window::new(at(0) + unit(from), at(0) + unit(from + length)).unwrap()
    })
}

async fn as_the_database_says(client: &Client, a: Window, b: Window) -> (bool, Option<Window>) {
    let query = "SELECT $1::tstzrange && $2::tstzrange, nullif($1 * $2, 'empty'::tstzrange)";
    let row = client.query_one(query, &[&a, &b]).await.unwrap();
    (row.get(0), row.get(1))
}

#[test]
fn overlap_in_code_is_overlap_in_the_database() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_house, client) = runtime.block_on(async {
        let h = House::open().await;
        let client = h.db.client().await.unwrap();
        (h, client)
    });
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let counter = std::cell::Cell::new(0);
    runner
        .run(&(near(), near()), |(a, b)| {
            let (overlap, part) = runtime.block_on(as_the_database_says(&client, a, b));
            counter.set(counter.get() + i32::from(overlap));
            prop_assert_eq!(a.overlaps(&b), overlap);
            prop_assert_eq!(b.overlaps(&a), overlap);
            prop_assert_eq!(a.intersection(&b), part);
            Ok(())
        })
        .unwrap();
    let overlapping = counter.get();
    assert!((20..180).contains(&overlapping), "both answers occur: {overlapping} of 200");
}
