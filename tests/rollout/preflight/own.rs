//! Our own schema.

use super::counts;
use slotkeeper::migrate::Migrator;
use slotkeeper::rollout::{Extension, FindingKind, Obstacle};
use tokio_postgres::NoTls;

#[tokio::test]
async fn nothing_there_yet_is_no_obstacle_to_whoever_may_create_it() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let preflight = Migrator::new().preflight(&mut client).await.unwrap();
    assert!(preflight.is_clean(), "{preflight}");
    assert!(preflight.tables.len() >= 7 && preflight.tables.iter().all(|table| !table.exists));
    assert_eq!((preflight.server.extension, preflight.server.schema_exists), (Extension::Creatable, false));
    let told_not_to = Migrator::new().create_schema(false).create_extension(false);
    let preflight = told_not_to.preflight(&mut client).await.unwrap();
    let schema = "slotkeeper".to_owned();
    assert_eq!(preflight.obstacles, [Obstacle::MissingExtension, Obstacle::MissingSchema { schema }]);

    let (mut stranger, connection) = database.stranger().await.unwrap().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let preflight = Migrator::new().preflight(&mut stranger).await.unwrap();
    let schema = "slotkeeper".to_owned();
    assert_eq!(preflight.obstacles, [Obstacle::MissingExtension, Obstacle::MissingSchema { schema }]);
}

#[tokio::test]
async fn a_migrated_database_is_clean_and_planted_damage_is_found() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let preflight = Migrator::new().preflight(&mut client).await.unwrap();
    assert!(preflight.is_clean(), "{preflight}");
    client
        .batch_execute(
            "ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_resource_during_excl;
             ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_resource_fkey;
             ALTER DOMAIN slotkeeper.booked_window DROP CONSTRAINT booked_window_check;
             ALTER TABLE slotkeeper.bookings DROP CONSTRAINT bookings_pkey;
             DROP INDEX slotkeeper.bookings_reference_key;
             INSERT INTO slotkeeper.resources (tenant_id, id, kind, name, capacity, min_party, attributes, active, revision)
             SELECT gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 'table', '1', 4, 1, '{}', true, 1;
             INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, expires_at, created_at)
             SELECT tenant_id, n.id::uuid, r.id, '[2030-01-01,2030-01-02)', n.kind, gen_random_uuid(), n.expires::timestamptz, n.made::timestamptz
             FROM slotkeeper.resources AS r, (VALUES
                 ('00000000-0000-0000-0000-00000000000a', 'held', '2030-01-01', '2029-01-01'),
                 ('00000000-0000-0000-0000-00000000000b', 'booked', NULL, '2029-01-02'),
                 ('00000000-0000-0000-0000-00000000000c', 'booked', NULL, '2029-01-03')) AS n (id, kind, expires, made);
             INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, shadow)
             SELECT tenant_id, gen_random_uuid(), gen_random_uuid(), '[2030-01-01,2030-01-02]', 'booked', gen_random_uuid(), true
             FROM slotkeeper.resources;
             INSERT INTO slotkeeper.bookings (tenant_id, id, status, revision, during, buffer_before_seconds,
                 buffer_after_seconds, reference, metadata)
             SELECT tenant_id, id, 'pending', 1, '[2030-01-01,2030-01-02)', 0, 0, 'same', '{}'
             FROM slotkeeper.resources, generate_series(1, 2)",
        )
        .await
        .unwrap();
    let preflight = Migrator::new().preflight(&mut client).await.unwrap();
    let rules: Vec<_> = preflight.findings().map(|finding| finding.rule.as_str()).collect();
    let expected = [
        "allocations_resource_during_excl",
        "allocations_resource_fkey",
        "booked_window_check",
        "bookings_pkey",
        "bookings_reference_key",
    ];
    assert_eq!(rules, expected, "{preflight}");
    let expected = [
        (FindingKind::Overlap, 3, 2),
        (FindingKind::Orphan, 1, 1),
        (FindingKind::InvalidRow, 1, 1),
        (FindingKind::Duplicate, 1, 1),
        (FindingKind::Duplicate, 1, 1),
    ];
    assert_eq!(counts(&preflight), expected);
    assert_eq!(preflight.obstacles, [Obstacle::NoPrimaryKey { table: "slotkeeper.bookings".into() }]);
    // What is booked stays before what is held, though it came later; then the earlier one.
    let overlaps = preflight.findings().next().unwrap();
    let yielding: Vec<_> = overlaps
        .samples
        .iter()
        .map(|sample| {
            let last = |key: &slotkeeper::rollout::RowKey| key.0[1].chars().last().unwrap();
            (last(&sample.row), last(sample.against.as_ref().unwrap()))
        })
        .collect();
    assert_eq!(
        yielding.iter().collect::<std::collections::BTreeSet<_>>(),
        [('a', 'b'), ('a', 'c'), ('c', 'b')].iter().collect()
    );
}
