//! Our own definitions, changed behind the library's back, are named and put back; rows never are.

use crate::support::house;
use slotkeeper::{
    SchemaName, TenantId,
    migrate::{DriftKind, Migrator, Note, OpsError, Repair},
};
use tokio_postgres::Client;

/// What can be put back without a loss: what was done, and the objects that must be named.
const DAMAGE: &[(&str, &[&str])] = &[
    // Scenario 71.
    (
        "ALTER TABLE allocations DROP CONSTRAINT allocations_resource_during_excl",
        &["constraint allocations.allocations_resource_during_excl"],
    ),
    // Scenario 75.
    (
        "ALTER TABLE allocations DROP CONSTRAINT allocations_resource_during_excl;
         ALTER TABLE allocations ADD CONSTRAINT allocations_resource_during_excl EXCLUDE USING gist (
             resource_id WITH =, during WITH &&, tenant_id WITH =) WHERE (released_at IS NULL AND NOT shadow)
             DEFERRABLE INITIALLY DEFERRED",
        &["constraint allocations.allocations_resource_during_excl"],
    ),
    (
        "ALTER TABLE allocations DROP CONSTRAINT allocations_resource_during_excl;
         CREATE INDEX allocations_resource_during_excl ON allocations USING gist (resource_id, during, tenant_id)",
        &["constraint allocations.allocations_resource_during_excl"],
    ),
    (
        "ALTER TABLE allocations DROP CONSTRAINT allocations_resource_during_excl;
         ALTER TABLE allocations ADD CONSTRAINT allocations_resource_during_excl EXCLUDE USING gist (
             resource_id WITH =, during WITH &&) WHERE (kind = 'booked' AND released_at IS NULL)",
        &["constraint allocations.allocations_resource_during_excl"],
    ),
    ("ALTER TABLE allocations DROP CONSTRAINT allocations_resource_fkey", &["constraint allocations.allocations_resource_fkey"]),
    (
        "ALTER TABLE allocations ALTER CONSTRAINT allocations_resource_fkey DEFERRABLE",
        &["constraint allocations.allocations_resource_fkey"],
    ),
    ("ALTER TABLE resources DISABLE TRIGGER ALL", &["constraint allocations.allocations_resource_fkey"]),
    (
        "ALTER TABLE holds DROP CONSTRAINT holds_expires_check;
         ALTER TABLE holds ADD CONSTRAINT holds_expires_check CHECK (expires_at < latest_expires_at)",
        &["constraint holds.holds_expires_check"],
    ),
    (
        "ALTER TABLE holds DROP CONSTRAINT holds_expires_check;
         ALTER TABLE holds ADD CONSTRAINT holds_expires_check CHECK (expires_at <= latest_expires_at) NOT VALID",
        &["constraint holds.holds_expires_check"],
    ),
    (
        "ALTER DOMAIN booked_window DROP CONSTRAINT booked_window_check;
         ALTER DOMAIN hold_status DROP CONSTRAINT hold_status_check;
         ALTER DOMAIN hold_status ADD CONSTRAINT hold_status_check CHECK (VALUE <> '');
         ALTER DOMAIN claimed_rows DROP CONSTRAINT claimed_rows_check;
         ALTER DOMAIN claimed_rows ADD CONSTRAINT claimed_rows_check CHECK (VALUE >= 0) NOT VALID",
        &[
            "constraint booked_window.booked_window_check",
            "constraint claimed_rows.claimed_rows_check",
            "constraint hold_status.hold_status_check",
        ],
    ),
    (
        "ALTER TABLE confirmations DROP CONSTRAINT confirmations_key_key;
         ALTER TABLE outbox DROP CONSTRAINT outbox_pkey",
        &["constraint confirmations.confirmations_key_key", "constraint outbox.outbox_pkey"],
    ),
    (
        "ALTER TABLE allocations DROP CONSTRAINT allocations_resource_fkey;
         ALTER TABLE resources DROP CONSTRAINT resources_pkey",
        &["constraint resources.resources_pkey", "constraint allocations.allocations_resource_fkey"],
    ),
    (
        "DROP INDEX bookings_reference_key;
         CREATE UNIQUE INDEX bookings_reference_key ON bookings (tenant_id, reference, revision) WHERE reference IS NOT NULL",
        &["index bookings.bookings_reference_key"],
    ),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'holds_reference_key'::regclass",
        &["index holds.holds_reference_key"],
    ),
    ("DROP INDEX allocations_start_idx", &["index allocations.allocations_start_idx"]),
    (
        "ALTER TABLE allocations ALTER COLUMN during DROP NOT NULL; ALTER TABLE allocations ALTER COLUMN shadow DROP DEFAULT;
         ALTER TABLE holds RESET (fillfactor)",
        &["column allocations.during", "column allocations.shadow", "table holds"],
    ),
];

async fn run(client: &Client, sql: &str) {
    let sql = format!("SET search_path = slotkeeper, public; {sql}; RESET search_path");
    client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

#[tokio::test]
async fn what_was_changed_behind_our_back_is_named_and_put_back() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let migrator = Migrator::new();
    house::fill(&client, TenantId::SINGLE).await;
    let rows = house::digest(&client, "slotkeeper").await;
    for (damage, expected) in DAMAGE {
        run(&client, damage).await;
        assert!(!migrator.verify(&mut client).await.unwrap().is_ok(), "{damage}");
        let dry = migrator.repair(&mut client, &Repair::dry_run()).await.unwrap();
        let named: Vec<&str> = dry.repaired.iter().map(|repaired| repaired.object.as_str()).collect();
        assert_eq!((named.as_slice(), dry.skipped.as_slice()), (*expected, [].as_slice()), "{damage}");
        assert!(!dry.after.is_ok(), "a dry run changes nothing");
        let done = migrator.repair(&mut client, &Repair::dry_run().apply()).await;
        let done = done.unwrap_or_else(|error| panic!("{damage}: {error}"));
        assert_eq!(done.repaired.len(), expected.len(), "{damage}");
        assert_eq!(done.after.drift, [], "{damage}\n{done}");
        let again = migrator.repair(&mut client, &Repair::dry_run().apply()).await.unwrap();
        assert_eq!(again.repaired, [], "{damage}");
    }
    assert_eq!(house::digest(&client, "slotkeeper").await, rows, "rows are not touched");
    assert!(migrator.audit(&mut client).await.unwrap().is_clean());
}

#[tokio::test]
async fn a_rule_of_a_domain_that_rows_break_binds_new_rows_and_is_told() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let migrator = Migrator::new();
    house::fill(&client, TenantId::SINGLE).await;
    let damage = "ALTER DOMAIN booked_window DROP CONSTRAINT booked_window_check;
        UPDATE bookings SET during = 'empty'";
    run(&client, damage).await;
    let refused = migrator.repair(&mut client, &Repair::dry_run().apply()).await;
    let violated = OpsError::StillViolated {
        table: "slotkeeper.booked_window".into(),
        rule: "booked_window_check".into(),
    };
    assert_eq!(refused, Err(violated));
    let drift = migrator.verify(&mut client).await.unwrap().drift;
    assert_eq!(drift.len(), 1);
    assert_eq!(drift[0].to_string(), "constraint booked_window.booked_window_check is not validated");
    let new = client.batch_execute("UPDATE slotkeeper.holds SET during = 'empty'").await.unwrap_err();
    assert_eq!(new.code().unwrap().code(), "23514", "new rows are bound");
}

#[tokio::test]
async fn rows_in_the_way_are_named_and_what_was_there_stays() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let migrator = Migrator::new();
    house::fill(&client, TenantId::SINGLE).await;
    let weaker = "ALTER TABLE allocations DROP CONSTRAINT allocations_resource_during_excl;
        INSERT INTO allocations (tenant_id, id, resource_id, during, kind, claim_id)
        SELECT tenant_id, gen_random_uuid(), resource_id, during, 'blackout', gen_random_uuid()
          FROM allocations WHERE kind = 'booked' AND released_at IS NULL;
        ALTER TABLE allocations ADD CONSTRAINT allocations_resource_during_excl EXCLUDE USING gist (
            resource_id WITH =, during WITH &&, tenant_id WITH =) WHERE (kind = 'booked' AND released_at IS NULL)";
    run(&client, weaker).await;
    let before = migrator.verify(&mut client).await.unwrap();
    let refused = migrator.repair(&mut client, &Repair::dry_run().apply()).await;
    let violated = OpsError::StillViolated {
        table: "slotkeeper.allocations".into(),
        rule: "allocations_resource_during_excl".into(),
    };
    assert_eq!(refused, Err(violated));
    assert_eq!(migrator.verify(&mut client).await.unwrap(), before, "the weaker one still stands");

    let hole =
        "ALTER TABLE bookings ALTER COLUMN metadata DROP NOT NULL; UPDATE bookings SET metadata = NULL";
    run(&client, hole).await;
    let refused = migrator.repair(&mut client, &Repair::dry_run().apply()).await;
    let (table, rule) = ("slotkeeper.bookings".into(), "not null of metadata".into());
    assert_eq!(refused, Err(OpsError::StillViolated { table, rule }));
}

#[tokio::test]
async fn what_would_be_a_loss_or_is_somebody_s_is_left_alone() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let migrator = Migrator::new();
    run(
        &client,
        "ALTER TABLE bookings DROP COLUMN time_zone; ALTER TABLE resources ALTER COLUMN capacity TYPE bigint;
         CREATE RULE quiet AS ON INSERT TO outbox DO INSTEAD NOTHING; ALTER TABLE holds SET UNLOGGED;
         ALTER TABLE allocations DROP CONSTRAINT allocations_resource_during_excl;
         CREATE UNIQUE INDEX allocations_resource_during_excl ON allocations (id);
         UPDATE migrations SET checksum = 'x' WHERE version = 1; ALTER TABLE holds ADD COLUMN note text",
    )
    .await;
    let found = migrator.repair(&mut client, &Repair::dry_run().apply()).await.unwrap();
    let skipped: Vec<&str> = found.skipped.iter().map(|skipped| skipped.object.as_str()).collect();
    let expected = [
        "migration 1",
        "column bookings.time_zone",
        "column resources.capacity",
        "constraint allocations.allocations_resource_during_excl",
        "table holds",
        "rule outbox.quiet",
    ];
    assert_eq!(skipped, expected, "{found}");
    assert_eq!(found.repaired, []);
}

#[tokio::test]
async fn nothing_is_built_on_what_is_gone_and_the_rest_is_repaired() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    run(
        &client,
        "ALTER TABLE bookings DROP COLUMN reference; DROP TABLE outbox; DROP INDEX holds_expires_idx",
    )
    .await;
    let done = Migrator::new().repair(&mut client, &Repair::dry_run().apply()).await.unwrap();
    let repaired: Vec<&str> = done.repaired.iter().map(|repaired| repaired.object.as_str()).collect();
    assert_eq!(repaired, ["index holds.holds_expires_idx"], "{done}");
    let skipped = |object: &str| done.skipped.iter().any(|skipped| skipped.object == object);
    for object in ["table outbox", "constraint outbox.outbox_pkey", "column bookings.reference"] {
        assert!(skipped(object), "{object}\n{done}");
    }
    assert!(skipped("index bookings.bookings_reference_key"), "{done}");
    assert!(!done.after.is_ok());
}

#[tokio::test]
async fn a_host_s_own_schema_is_repaired_in_its_place() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let migrator = Migrator::new().in_schema(SchemaName::new("other").unwrap());
    migrator.up(&mut client).await.unwrap();
    let damage = "ALTER TABLE other.allocations DROP CONSTRAINT allocations_resource_fkey;
        DROP INDEX other.holds_expires_idx; ALTER TABLE other.bookings DROP CONSTRAINT bookings_price_check";
    client.batch_execute(damage).await.unwrap();
    let done = migrator.repair(&mut client, &Repair::dry_run().apply()).await.unwrap();
    assert_eq!((done.repaired.len(), done.after.drift.len()), (3, 0), "{done}");
    let exists = client.query_one("SELECT to_regnamespace('slotkeeper') IS NULL", &[]).await.unwrap();
    assert!(exists.get::<_, bool>(0), "nothing was made elsewhere");
}

#[tokio::test]
async fn verify_notes_what_the_host_decided() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let role = database.stranger().await.unwrap().get_user().unwrap().to_owned();
    run(
        &client,
        &format!(
            "ALTER TABLE holds ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON holds USING (true);
             GRANT CREATE ON SCHEMA slotkeeper TO {role}; ALTER TABLE outbox OWNER TO {role}"
        ),
    )
    .await;
    let found = Migrator::new().verify(&mut client).await.unwrap();
    assert!(found.is_ok() && found.role_fits(), "no role was named");
    let expected = [
        Note::RowSecurity { table: "holds".into(), forced: false, policies: vec!["mine".into()] },
        Note::OtherOwner { table: "outbox".into(), owner: role },
    ];
    assert_eq!(found.notes, expected, "{found}");
}

#[tokio::test]
async fn the_kinds_of_drift_are_told_apart() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    run(&client, DAMAGE[2].0).await;
    let found = Migrator::new().verify(&mut client).await.unwrap();
    assert_eq!(found.drift[0].kind, DriftKind::IndexOnly, "{found}");
}
