//! No window outside the rule can be stored, whoever writes it.

use slotkeeper::Constraint;

use super::{db::migrated, silence::read};

/// A window, and whether it may be stored.
const WINDOWS: &[(&str, bool)] = &[
    ("[2030-01-01 10:00Z,2030-01-01 10:30Z)", true),
    ("[1970-01-01 00:00Z,2030-01-01 00:00Z)", false),
    ("[1970-01-01 00:00Z,1970-01-01 00:00:00.000001Z)", true),
    ("[2199-12-31 00:00Z,2200-01-01 00:00Z)", true),
    ("[2030-01-01 00:00Z,2031-02-05 00:00Z)", true), // 400 days
    ("[2030-01-01 00:00Z,2031-02-05 00:00:00.000001Z)", false),
    ("[1969-12-31 23:59:59.999999Z,1970-01-02 00:00Z)", false),
    ("[2199-12-31 00:00Z,2200-01-01 00:00:00.000001Z)", false),
    ("empty", false),
    ("[2030-01-01 10:00Z,2030-01-01 10:00Z)", false), // becomes empty
    ("[2030-01-01 10:00Z,2030-01-01 10:00Z]", false),
    ("[2030-01-01 10:00Z,2030-01-01 10:30Z]", false),
    ("(2030-01-01 10:00Z,2030-01-01 10:30Z)", false),
    ("(2030-01-01 10:00Z,2030-01-01 10:30Z]", false),
    ("[2030-01-01 10:00Z,)", false),
    ("[,2030-01-01 10:30Z)", false),
    ("(,)", false),
    ("[2030-01-01 10:00Z,infinity)", false),
    ("[-infinity,2030-01-01 10:30Z)", false),
    ("[2030-01-01 10:00Z,infinity]", false),
];

/// Also scenario 65: an end at the start is refused in the database.
#[tokio::test]
async fn only_windows_of_the_rule_can_be_stored() {
    let db = migrated().await;
    db.run(
        "INSERT INTO slotkeeper.resources (tenant_id, id, kind, name, capacity, min_party, attributes, active, revision)
         VALUES (gen_random_uuid(), gen_random_uuid(), 'k', 'n', 1, 1, '{}', true, 1)",
    )
    .await;
    let holds = "INSERT INTO slotkeeper.holds (tenant_id, id, status, during, buffer_before_seconds,
            buffer_after_seconds, rows, expires_at, latest_expires_at)
        SELECT tenant_id, gen_random_uuid(), 'active', $1::text::tstzrange, 0, 0, 1, now(), now() FROM slotkeeper.resources";
    let allocations = "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, released_at)
        SELECT tenant_id, gen_random_uuid(), id, $1::text::tstzrange, 'booked', id, now() FROM slotkeeper.resources";
    let bookings = "INSERT INTO slotkeeper.bookings (tenant_id, id, status, revision, during, buffer_before_seconds,
            buffer_after_seconds, metadata)
        SELECT tenant_id, gen_random_uuid(), 'pending', 1, $1::text::tstzrange, 0, 0, '{}' FROM slotkeeper.resources";
    let check = Constraint::BookedWindowCheck;
    for insert in [holds, allocations, bookings] {
        for (window, allowed) in WINDOWS {
            match db.client.execute(insert, &[window]).await {
                Ok(rows) => assert!(*allowed && rows == 1, "{window} was stored: {check:?}"),
                Err(error) => {
                    assert!(!allowed, "{window}: {error:?}");
                    assert_eq!(read(&error).known(), Some(check), "{window}");
                }
            }
        }
        let error = db.client.execute(insert, &[&None::<&str>]).await.unwrap_err();
        assert_eq!(read(&error).column(), Some("during"), "a window is required");
    }
}
