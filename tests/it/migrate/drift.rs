//! Planted damage, each found by its object and nothing else.

use slotkeeper::migrate::{DriftKind, Migrator};

use super::db::empty;

/// What was done, the differences it must show (`-` missing, `~` changed, `+` extra, `i` an index only, `d` deferrable,
/// `v` not validated, `o` switched off, `x` invalid), and whether `verify` passes.
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
        &["dconstraint allocations.allocations_resource_during_excl", "dindex allocations.allocations_resource_during_excl"],
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
        &["iconstraint allocations.allocations_resource_during_excl"],
        false,
    ),
    (
        "ALTER TABLE allocations DROP CONSTRAINT allocations_resource_fkey;
         ALTER TABLE allocations ADD CONSTRAINT allocations_resource_fkey FOREIGN KEY (tenant_id, resource_id)
             REFERENCES resources (tenant_id, id) NOT VALID",
        &["vconstraint allocations.allocations_resource_fkey"],
        false,
    ),
    (
        "ALTER TABLE allocations ALTER CONSTRAINT allocations_resource_fkey DEFERRABLE",
        &["dconstraint allocations.allocations_resource_fkey"],
        false,
    ),
    ("ALTER TABLE allocations DISABLE TRIGGER ALL", &["oconstraint allocations.allocations_resource_fkey"], false),
    ("ALTER TABLE resources DISABLE TRIGGER ALL", &["oconstraint allocations.allocations_resource_fkey"], false),
    (
        "ALTER TABLE holds DROP CONSTRAINT holds_expires_check;
         ALTER TABLE holds ADD CONSTRAINT holds_expires_check CHECK (expires_at < latest_expires_at)",
        &["~constraint holds.holds_expires_check"],
        false,
    ),
    (
        "ALTER TABLE holds DROP CONSTRAINT holds_expires_check;
         ALTER TABLE holds ADD CONSTRAINT holds_expires_check CHECK (expires_at <= latest_expires_at) NOT VALID",
        &["vconstraint holds.holds_expires_check"],
        false,
    ),
    (
        "ALTER DOMAIN booked_window DROP CONSTRAINT booked_window_check",
        &["-constraint booked_window.booked_window_check"],
        false,
    ),
    (
        "ALTER DOMAIN hold_status DROP CONSTRAINT hold_status_check;
         ALTER DOMAIN hold_status ADD CONSTRAINT hold_status_check CHECK (VALUE <> '')",
        &["~constraint hold_status.hold_status_check"],
        false,
    ),
    (
        "ALTER DOMAIN claimed_rows DROP CONSTRAINT claimed_rows_check;
         ALTER DOMAIN claimed_rows ADD CONSTRAINT claimed_rows_check CHECK (VALUE >= 0) NOT VALID",
        &["vconstraint claimed_rows.claimed_rows_check"],
        false,
    ),
    (
        "ALTER TABLE confirmations ALTER COLUMN operation TYPE text; DROP DOMAIN operation",
        &["~column confirmations.operation", "-constraint operation.operation_check", "-domain operation"],
        false,
    ),
    ("ALTER DOMAIN buffer_seconds SET NOT NULL", &["~domain buffer_seconds"], false),
    (
        "ALTER DOMAIN buffer_seconds ADD CONSTRAINT buffer_seconds_host_check CHECK (VALUE < 7200)",
        &["+constraint buffer_seconds.buffer_seconds_host_check"],
        true,
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
        &["xindex holds.holds_reference_key"],
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
        "ALTER TABLE holds ADD CONSTRAINT holds_host_check CHECK (rows < 60)",
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
            DriftKind::Extra => '+',
            DriftKind::Changed { .. } => '~',
            DriftKind::IndexOnly => 'i',
            DriftKind::Deferrable => 'd',
            DriftKind::NotValid => 'v',
            DriftKind::Disabled => 'o',
            DriftKind::InvalidIndex => 'x',
            other => panic!("{other:?}"),
        };
        let drift: Vec<_> = found.drift.iter().map(|d| format!("{}{}", mark(&d.kind), d.object)).collect();
        assert_eq!(drift, *expected, "{damage}");
        assert_eq!(found.is_ok(), *passes, "{damage}");
        client.batch_execute("DROP SCHEMA slotkeeper CASCADE").await.unwrap();
        migrator.up(&mut client).await.unwrap();
    }
}
