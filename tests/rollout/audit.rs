//! The audit finds planted damage, each kind by its name and nothing else, and is silent about a healthy house.

use crate::support::house;
use slotkeeper::{
    TenantId,
    migrate::{Audit, Migrator, OpsError},
};
use tokio_postgres::Client;

/// What is done to a healthy house, and the checks that must tell.
const DAMAGE: &[(&str, &[&str])] = &[
    (
        "ALTER TABLE allocations DROP CONSTRAINT allocations_resource_during_excl;
         INSERT INTO allocations (tenant_id, id, resource_id, during, kind, claim_id)
         SELECT tenant_id, gen_random_uuid(), resource_id, during, 'blackout', gen_random_uuid()
           FROM allocations WHERE kind = 'booked' AND released_at IS NULL",
        &["allocation_overlap"],
    ),
    ("DELETE FROM holds WHERE status = 'active'", &["allocation_held"]),
    (
        "UPDATE allocations SET expires_at = expires_at + interval '1 s' WHERE kind = 'held' AND released_at IS NULL",
        &["allocation_held"],
    ),
    ("UPDATE holds SET status = 'released' WHERE status = 'active'", &["allocation_held"]),
    (
        "UPDATE allocations SET released_at = NULL
          WHERE claim_id IN (SELECT claim_id FROM bookings WHERE status = 'cancelled')",
        &["allocation_booked"],
    ),
    (
        "UPDATE allocations SET released_at = now() WHERE id = (
             SELECT id FROM allocations WHERE kind = 'blackout' AND released_at IS NULL LIMIT 1)",
        &["blackout_torn"],
    ),
    (
        "INSERT INTO holds SELECT (h).* FROM (SELECT jsonb_populate_record(h, jsonb_build_object('id', a.claim_id)) AS h
             FROM holds h, allocations a WHERE h.status = 'released' AND a.kind = 'blackout' LIMIT 1) x",
        &["blackout_torn"],
    ),
    (
        "DELETE FROM allocations WHERE id = (
             SELECT id FROM allocations WHERE kind = 'blackout' AND released_at IS NULL LIMIT 1)",
        &["blackout_event"],
    ),
    (
        "UPDATE allocations SET released_at = now() WHERE id = (SELECT a.id FROM allocations a JOIN holds h ON h.id = a.claim_id
          WHERE kind = 'held' AND released_at IS NULL AND h.expires_at > now() LIMIT 1)",
        &["hold_places"],
    ),
    ("UPDATE holds SET rows = 3 WHERE status = 'active'", &["hold_places"]),
    ("UPDATE holds SET buffer_after_seconds = 60 WHERE status = 'active'", &["hold_places"]),
    ("UPDATE holds SET status = 'released' WHERE status = 'consumed'", &["hold_consumed"]),
    ("UPDATE holds SET status = 'consumed' WHERE status = 'released'", &["hold_consumed"]),
    (
        "UPDATE allocations SET released_at = now() WHERE id = (SELECT a.id FROM allocations a JOIN holds h ON h.id = a.claim_id
          WHERE kind = 'booked' AND released_at IS NULL LIMIT 1)",
        &["booking_places"],
    ),
    (
        "UPDATE allocations SET id = gen_random_uuid() WHERE kind = 'booked' AND released_at IS NULL",
        &["booking_places"],
    ),
    (
        "UPDATE allocations a SET resource_id = r.id FROM resources r, bookings b
          WHERE b.claim_id = a.claim_id AND a.kind = 'booked' AND a.released_at IS NULL AND r.id <> a.resource_id
            AND jsonb_array_length(b.history) = 2",
        &["booking_places"],
    ),
    (
        "UPDATE allocations a SET during = tstzrange(lower(a.during), upper(a.during) - interval '1 min')
           FROM bookings b WHERE b.claim_id = a.claim_id AND a.released_at IS NULL",
        &["booking_places", "booking_window"],
    ),
    (
        "UPDATE bookings SET buffer_before_seconds = 60 WHERE status = 'confirmed'",
        &["booking_window"],
    ),
    ("UPDATE bookings SET revision = 5 WHERE status = 'pending'", &["booking_history"]),
    ("UPDATE bookings SET history = jsonb_set(history, '{0,revision}', '7')", &["booking_history"]),
    ("UPDATE bookings SET history = jsonb_set(history, '{-1,status}', '\"x\"') WHERE status = 'pending'", &["booking_history"]),
    ("UPDATE bookings SET history = '{}' WHERE status = 'pending'", &["booking_history"]),
    ("UPDATE bookings SET confirmation_id = gen_random_uuid() WHERE status = 'pending'", &["booking_history", "booking_confirmation"]),
    // What cannot be read is named too, and the other checks go on.
    ("UPDATE bookings SET history = jsonb_set(history, '{-1,window,start}', '\"never\"')", &["booking_history"]),
    (
        "DELETE FROM confirmations WHERE id IN (SELECT confirmation_id FROM bookings WHERE status = 'cancelled')",
        &["booking_confirmation", "booking_decisions"],
    ),
    ("DELETE FROM confirmations WHERE outcome = 'moved'", &["booking_decisions"]),
    (
        "UPDATE bookings SET history = jsonb_set(history, '{-1,changed_at}', to_jsonb(now() + interval '1 s'))
          WHERE status = 'cancelled'",
        &["booking_decisions"],
    ),
    (
        "UPDATE bookings SET status = 'pending', revision = 1, history = history - 1
          WHERE status = 'cancelled' AND claim_id IS NULL; DELETE FROM outbox",
        &["decision_effect"],
    ),
    (
        "DELETE FROM bookings WHERE status = 'cancelled' AND claim_id IS NULL; DELETE FROM outbox",
        &["decision_effect"],
    ),
    (
        "UPDATE outbox SET body = jsonb_set(body, '{revision}', '9') WHERE event = 'booking.moved'",
        &["event_subject"],
    ),
    (
        "INSERT INTO outbox (tenant_id, id, event, subject_id, body)
         SELECT tenant_id, id, 'booking.confirmed', gen_random_uuid(), '{}' FROM confirmations WHERE outcome = 'conflict'",
        &["event_subject"],
    ),
    ("UPDATE confirmations SET checksum = sha256('x') WHERE outcome = 'conflict'", &["decision_record"]),
    ("UPDATE confirmations SET key = key || 'x' WHERE outcome = 'conflict'", &["decision_record"]),
    ("UPDATE confirmations SET outcome = 'window_mismatch' WHERE outcome = 'conflict'", &["decision_record"]),
    (
        "UPDATE confirmations SET snapshot = snapshot || '{\"blockers\": []}' WHERE outcome = 'conflict'",
        &["decision_record"],
    ),
    (
        "UPDATE confirmations SET snapshot = jsonb_set(snapshot, '{blockers,0,overlap,end}', '\"2100-01-01T00:00:00Z\"')
          WHERE outcome = 'conflict'",
        &["decision_record"],
    ),
    (
        "UPDATE confirmations SET snapshot = jsonb_set(snapshot, '{blockers,0,resource}', to_jsonb(id))
          WHERE outcome = 'conflict'",
        &["decision_record"],
    ),
    ("UPDATE confirmations SET outcome = 'moved' WHERE outcome = 'erased'", &["decision_effect", "decision_record"]),
    ("UPDATE confirmations SET snapshot = '{}' WHERE outcome = 'conflict'", &["decision_record"]),
    (
        "UPDATE confirmations SET snapshot = jsonb_set(snapshot, '{request,window,start}', '\"2031-01-01T00:00:00Z\"')
          WHERE outcome = 'conflict'",
        &["decision_record"],
    ),
    (
        "UPDATE confirmations SET rows = 1 WHERE outcome = 'confirmed'",
        &["decision_record"],
    ),
    ("UPDATE migrations SET checksum = md5(checksum)", &["migrations"]),
    // Retention: what is over or old is not missed.
    ("UPDATE outbox SET created_at = now() - interval '1 year'; DELETE FROM outbox", &[]),
];

fn names(audit: &Audit) -> Vec<&str> {
    audit.damaged().map(|check| check.name.as_str()).collect()
}

async fn damaged(client: &mut Client, damage: &str) -> Audit {
    let sql = format!("SET search_path = slotkeeper, public; {damage}; RESET search_path");
    client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{damage}: {error:?}"));
    Migrator::new().audit(client).await.unwrap()
}

#[tokio::test]
async fn every_planted_damage_is_found_and_named() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    house::fill(&client, TenantId::SINGLE).await;
    house::keep(&client).await;
    for (damage, expected) in DAMAGE {
        let audit = damaged(&mut client, damage).await;
        assert_eq!(names(&audit), *expected, "{damage}\n{audit}");
        house::back(&client).await;
    }
}

#[tokio::test]
async fn a_healthy_house_is_clean_and_left_alone() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    for tenant in [TenantId::SINGLE, TenantId::generate()] {
        house::fill(&client, tenant).await;
    }
    let before = house::digest(&client, "slotkeeper").await;
    client
        .batch_execute("SET default_transaction_read_only = on; SET TimeZone = 'Asia/Kathmandu'")
        .await
        .unwrap();
    let audit = Migrator::new().audit(&mut client).await.unwrap();
    assert!(audit.is_clean() && audit.checks.len() > 50, "{audit}");
    assert_eq!(serde_json::to_value(&audit).unwrap()["checks"][0]["name"], "migrations");
    client.batch_execute("RESET TimeZone").await.unwrap();
    assert_eq!(house::digest(&client, "slotkeeper").await, before);
    let setting: String = client.query_one("SHOW enable_nestloop", &[]).await.unwrap().get(0);
    assert_eq!(setting, "on", "settings last no longer than the call");
}

#[tokio::test]
async fn damage_is_counted_by_tenant_with_samples() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let (one, other) = (TenantId::SINGLE, TenantId::generate());
    house::fill(&client, one).await;
    house::fill(&client, other).await;
    let damage = format!(
        "DELETE FROM holds WHERE status = 'active' AND expires_at > now() AND tenant_id = '{other}';
         UPDATE allocations SET shadow = true, shadowed_at = statement_timestamp() WHERE kind = 'blackout'"
    );
    let audit = damaged(&mut client, &damage).await;
    assert_eq!(names(&audit), ["allocation_held"]);
    let held = audit.damaged().next().unwrap();
    // Two active holds of two tables each.
    assert_eq!((held.rows, held.tenants.len()), (4, 1));
    assert_eq!(held.tenants[0].tenant, Some(other.to_string()));
    assert_eq!((held.tenants[0].rows, held.tenants[0].samples.len()), (4, 4));
    let waiting = audit.checks.iter().find(|check| check.waiting).unwrap();
    assert_eq!((waiting.name.as_str(), waiting.rows, waiting.tenants.len()), ("allocation_shadow", 4, 2));
    assert!(audit.to_string().contains("allocation_shadow: 4 rows, waiting"), "{audit}");
}

#[tokio::test]
async fn what_cannot_be_audited_is_an_error_and_no_clean_report() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    // Of the tables that are missing it names the first by name.
    let missing = OpsError::MissingTable { table: "slotkeeper.allocations".into() };
    assert_eq!(Migrator::new().audit(&mut client).await, Err(missing));
    Migrator::new().up(&mut client).await.unwrap();
    let (mut stranger, connection) =
        database.stranger().await.unwrap().connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(Migrator::new().audit(&mut stranger).await, Err(OpsError::PermissionDenied));
    // A policy that hides rows must not make a torn house look whole.
    client
        .batch_execute(
            "GRANT USAGE ON SCHEMA slotkeeper TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA slotkeeper TO PUBLIC",
        )
        .await
        .unwrap();
    assert!(Migrator::new().audit(&mut stranger).await.unwrap().is_clean());
    client.batch_execute("ALTER TABLE slotkeeper.holds ENABLE ROW LEVEL SECURITY").await.unwrap();
    assert_eq!(Migrator::new().audit(&mut stranger).await, Err(OpsError::PermissionDenied));
}
