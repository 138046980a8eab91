//! Planted damage, each found by its object and nothing else.

use slotkeeper::migrate::{DriftKind, Migrator};
use slotkeeper::schema::SchemaName;

use super::db::empty;

/// What was done, the differences it must show (`-` missing, `~` changed, `+` extra), and whether `verify` passes.
const DAMAGE: &[(&str, &[&str], bool)] = &[
    (
        "ALTER TABLE allocations DROP CONSTRAINT allocations_resource_during_excl",
        &["-constraint allocations.allocations_resource_during_excl", "-index allocations.allocations_resource_during_excl"],
        false,
    ),
    (
        "ALTER TABLE allocations DROP CONSTRAINT allocations_resource_during_excl;
         ALTER TABLE allocations ADD CONSTRAINT allocations_resource_during_excl EXCLUDE USING gist (
             resource_id WITH =, during WITH &&, tenant_id WITH =) WHERE (released_at IS NULL AND NOT shadow)
             DEFERRABLE INITIALLY DEFERRED",
        &["~constraint allocations.allocations_resource_during_excl", "~index allocations.allocations_resource_during_excl"],
        false,
    ),
    (
        "ALTER TABLE allocations DROP CONSTRAINT allocations_resource_during_excl;
         ALTER TABLE allocations ADD CONSTRAINT allocations_resource_during_excl EXCLUDE USING gist (
             resource_id WITH =, during WITH &&, tenant_id WITH =) WHERE (released_at IS NULL AND NOT shadow AND kind = 'booked')",
        &["~constraint allocations.allocations_resource_during_excl", "~index allocations.allocations_resource_during_excl"],
        false,
    ),
    (
        "ALTER TABLE allocations DROP CONSTRAINT allocations_resource_during_excl;
         CREATE INDEX allocations_resource_during_excl ON allocations USING gist (resource_id, during, tenant_id)
             WHERE released_at IS NULL AND NOT shadow",
        &["-constraint allocations.allocations_resource_during_excl"],
        false,
    ),
    (
        "ALTER TABLE allocations DROP CONSTRAINT allocations_resource_fkey;
         ALTER TABLE allocations ADD CONSTRAINT allocations_resource_fkey FOREIGN KEY (tenant_id, resource_id)
             REFERENCES resources (tenant_id, id) NOT VALID",
        &["~constraint allocations.allocations_resource_fkey"],
        false,
    ),
    (
        "ALTER TABLE allocations ALTER CONSTRAINT allocations_resource_fkey DEFERRABLE",
        &["~constraint allocations.allocations_resource_fkey"],
        false,
    ),
    ("ALTER TABLE allocations DISABLE TRIGGER ALL", &["~constraint allocations.allocations_resource_fkey"], false),
    ("ALTER TABLE resources DISABLE TRIGGER ALL", &["~constraint allocations.allocations_resource_fkey"], false),
    (
        "ALTER TABLE holds DROP CONSTRAINT holds_claimed_check;
         ALTER TABLE holds ADD CONSTRAINT holds_claimed_check CHECK (claimed <= requested)",
        &["~constraint holds.holds_claimed_check"],
        false,
    ),
    (
        "ALTER TABLE holds DROP CONSTRAINT holds_claimed_check;
         ALTER TABLE holds ADD CONSTRAINT holds_claimed_check CHECK (claimed = requested) NOT VALID",
        &["~constraint holds.holds_claimed_check"],
        false,
    ),
    (
        "ALTER TABLE bookings RENAME CONSTRAINT bookings_price_check TO bookings_cost_check",
        &["-constraint bookings.bookings_price_check", "+constraint bookings.bookings_cost_check"],
        false,
    ),
    ("ALTER TABLE allocations ALTER COLUMN during DROP NOT NULL", &["~column allocations.during"], false),
    ("ALTER TABLE allocations ALTER COLUMN shadow DROP DEFAULT", &["~column allocations.shadow"], false),
    ("ALTER TABLE resources ALTER COLUMN capacity TYPE bigint", &["~column resources.capacity"], false),
    ("ALTER TABLE resources ALTER COLUMN name TYPE text COLLATE \"C\"", &["~column resources.name"], false),
    ("ALTER TABLE bookings DROP COLUMN time_zone", &["-column bookings.time_zone"], false),
    ("DROP INDEX bookings_reference_key", &["-index bookings.bookings_reference_key"], false),
    (
        "DROP INDEX bookings_reference_key;
         CREATE UNIQUE INDEX bookings_reference_key ON bookings (tenant_id, reference, revision) WHERE reference IS NOT NULL",
        &["~index bookings.bookings_reference_key"],
        false,
    ),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'holds_reference_key'::regclass",
        &["~index holds.holds_reference_key"],
        false,
    ),
    ("ALTER TABLE holds SET UNLOGGED", &["~table holds"], false),
    ("ALTER TABLE holds RESET (fillfactor)", &["~table holds"], false),
    (
        "CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER skip BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION skip()",
        &["+trigger outbox.skip"],
        false,
    ),
    ("CREATE RULE quiet AS ON INSERT TO outbox DO INSTEAD NOTHING", &["+rule outbox.quiet"], false),
    ("ALTER TABLE holds ADD COLUMN note text", &["+column holds.note"], true),
    ("CREATE INDEX holds_note_idx ON holds (placed_at)", &["+index holds.holds_note_idx"], true),
    (
        "ALTER TABLE holds ADD CONSTRAINT holds_host_check CHECK (requested < 60)",
        &["+constraint holds.holds_host_check"],
        true,
    ),
    // The host's affair.
    (
        "ALTER TABLE holds ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON holds USING (true);
         ALTER TABLE holds SET (autovacuum_vacuum_scale_factor = 0.01);
         CREATE TABLE guests (tenant_id uuid, booking_id uuid,
             FOREIGN KEY (tenant_id, booking_id) REFERENCES bookings (tenant_id, id));
         COMMENT ON TABLE holds IS 'ours'; GRANT SELECT ON holds TO PUBLIC",
        &[],
        true,
    ),
];

#[tokio::test]
async fn every_planted_drift_is_found_and_named() {
    let db = empty().await;
    let mut client = db.client().await;
    let migrator = Migrator::new();
    migrator.up(&mut client).await.unwrap();
    assert_eq!(migrator.verify(&mut client).await.unwrap().drift, [], "a clean database shows nothing");
    for (damage, expected, passes) in DAMAGE {
        let sql = format!("SET search_path = slotkeeper, public; {damage}; RESET search_path");
        client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{damage}: {error:?}"));
        let found = migrator.verify(&mut client).await.unwrap();
        let mark = |kind: &DriftKind| match kind {
            DriftKind::Missing => '-',
            DriftKind::Changed { .. } => '~',
            _ => '+',
        };
        let drift: Vec<_> = found.drift.iter().map(|d| format!("{}{}", mark(&d.kind), d.object)).collect();
        assert_eq!(drift, *expected, "{damage}");
        assert_eq!(found.is_ok(), *passes, "{damage}");
        client.batch_execute("DROP SCHEMA slotkeeper CASCADE").await.unwrap();
        migrator.up(&mut client).await.unwrap();
    }
}

#[tokio::test]
async fn constraints_that_version_18_can_weaken_are_found() {
    let db = empty().await;
    let mut client = db.client().await;
    let version: i32 = client
        .query_one("SELECT current_setting('server_version_num')::int / 10000", &[])
        .await
        .unwrap()
        .get(0);
    if version < 18 {
        return;
    }
    let migrator = Migrator::new();
    migrator.up(&mut client).await.unwrap();
    let damage = "ALTER TABLE slotkeeper.allocations ALTER COLUMN during DROP NOT NULL;
        ALTER TABLE slotkeeper.allocations ADD CONSTRAINT n NOT NULL during NOT VALID;
        ALTER TABLE slotkeeper.allocations ALTER CONSTRAINT allocations_resource_fkey NOT ENFORCED;
        ALTER TABLE slotkeeper.holds DROP CONSTRAINT holds_claimed_check;
        ALTER TABLE slotkeeper.holds ADD CONSTRAINT holds_claimed_check CHECK (claimed = requested) NOT ENFORCED";
    client.batch_execute(damage).await.unwrap();
    let found = migrator.verify(&mut client).await.unwrap();
    let objects: Vec<_> = found.drift.iter().map(|d| d.object.as_str()).collect();
    assert_eq!(
        objects,
        [
            "column allocations.during",
            "constraint allocations.allocations_resource_fkey",
            "constraint holds.holds_claimed_check"
        ]
    );
    assert!(!found.is_ok());
}

#[tokio::test]
async fn a_foreign_key_into_the_same_table_of_another_schema_is_found() {
    let db = empty().await;
    let mut client = db.client().await;
    Migrator::new().up(&mut client).await.unwrap();
    for name in ["other", "order"] {
        let migrator = Migrator::new().in_schema(SchemaName::new(name).unwrap());
        migrator.up(&mut client).await.unwrap();
        let damage = format!(
            "ALTER TABLE \"{name}\".allocations DROP CONSTRAINT allocations_resource_fkey;
            ALTER TABLE \"{name}\".allocations ADD CONSTRAINT allocations_resource_fkey
                FOREIGN KEY (tenant_id, resource_id) REFERENCES slotkeeper.resources (tenant_id, id)"
        );
        client.batch_execute(&damage).await.unwrap();
        let found = migrator.verify(&mut client).await.unwrap();
        assert_eq!(found.drift.len(), 1, "{found:?}");
        assert_eq!(found.drift[0].object, "constraint allocations.allocations_resource_fkey");
    }
    assert_eq!(Migrator::new().verify(&mut client).await.unwrap().drift, []);
}

#[tokio::test]
async fn a_change_shows_both_definitions() {
    let db = empty().await;
    let mut client = db.client().await;
    let migrator = Migrator::new();
    migrator.up(&mut client).await.unwrap();
    let damage = "ALTER TABLE slotkeeper.holds ALTER COLUMN status DROP NOT NULL";
    client.batch_execute(damage).await.unwrap();
    let found = migrator.verify(&mut client).await.unwrap();
    assert_eq!(found.drift[0].to_string(), "column holds.status is `text`, not `text not null`");
}

#[tokio::test]
async fn the_session_s_settings_do_not_show_as_drift() {
    let db = empty().await;
    let mut client = db.client().await;
    let settings = "SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601';
        SET search_path = slotkeeper, public; SET quote_all_identifiers = on; SET default_transaction_read_only = on";
    client.batch_execute(settings).await.unwrap();
    Migrator::new().up(&mut client).await.unwrap();
    assert_eq!(Migrator::new().verify(&mut client).await.unwrap().drift, []);
    let zone: String = client.query_one("SHOW TimeZone", &[]).await.unwrap().get(0);
    assert_eq!(zone, "Asia/Kathmandu");
}
