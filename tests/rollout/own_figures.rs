//! Long runs by hand: `cargo test --test rollout own_figures -- --ignored --nocapture --test-threads 1`

use std::time::Instant;

use crate::support::house;
use slotkeeper::{TenantId, migrate::Migrator};
use tokio_postgres::Client;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
}

/// `SLOTKEEPER_DATABASES` (100) databases, each migrated and lived in: not one alarm.
#[tokio::test]
#[ignore = "campaign; run by hand"]
async fn clean_databases_raise_no_alarm() {
    let databases = number("SLOTKEEPER_DATABASES", 100);
    for n in 0..databases {
        let database = kit::empty_database().await.unwrap();
        let mut client = database.client().await.unwrap();
        Migrator::new().up(&mut client).await.unwrap();
        house::fill(&client, if n % 2 == 0 { TenantId::SINGLE } else { TenantId::generate() }).await;
        let verification = Migrator::new().verify(&mut client).await.unwrap();
        assert_eq!(
            (verification.drift.as_slice(), verification.notes.as_slice()),
            ([].as_slice(), [].as_slice())
        );
        let audit = Migrator::new().audit(&mut client).await.unwrap();
        assert!(audit.is_clean(), "{audit}");
    }
    println!("{databases} clean databases, 0 alarms");
}

/// `SLOTKEEPER_ROWS` (100,000) bookings, each with its allocation and its record: how long, how much memory.
#[tokio::test]
#[ignore = "campaign; run by hand"]
async fn an_audit_of_many_rows() {
    let rows = number("SLOTKEEPER_ROWS", 100_000) as i64;
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    write(&client, rows).await;
    let before = peak_kib();
    let started = Instant::now();
    let audit = Migrator::new().audit(&mut client).await.unwrap();
    let took = started.elapsed();
    assert!(audit.is_clean(), "{audit}");
    println!(
        "{rows} bookings: audit in {took:.1?}, peak {} MiB (before: {})",
        peak_kib() / 1024,
        before / 1024
    );
    // One damaged row among them is found.
    let sql = "UPDATE slotkeeper.allocations SET id = gen_random_uuid() WHERE id = (SELECT id FROM slotkeeper.allocations LIMIT 1)";
    client.batch_execute(sql).await.unwrap();
    let audit = Migrator::new().audit(&mut client).await.unwrap();
    assert_eq!(audit.damaged().map(|check| check.rows).collect::<Vec<_>>(), [1], "{audit}");
}

/// The most memory this process had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

/// Rows as `book` writes them, one a resource an hour, of 100 tenants with 20 resources each.
async fn write(client: &Client, rows: i64) {
    let instant = "to_char(%s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
    let (first, last) = (instant.replace("%s", "lower(during)"), instant.replace("%s", "upper(during)"));
    let window = format!("'{{\"end\":\"' || {last} || '\",\"start\":\"' || {first} || '\"}}'");
    let request = format!(
        "'{{\"buffers\":{{\"after_seconds\":0,\"before_seconds\":0}},\"pairs\":[{{\"resource\":\"' || resource || '\",\"window\":' \
         || {window} || '}}],\"window\":' || {window} || '}}'"
    );
    let sql = format!(
        "SET search_path = slotkeeper, public;
         CREATE TEMP TABLE tenant AS SELECT gen_random_uuid() AS id, n FROM generate_series(0, 99) n;
         INSERT INTO resources (tenant_id, id, kind, name, capacity, min_party, attributes, active, revision)
         SELECT t.id, gen_random_uuid(), 'table', 'table', 4, 1, '{{}}', true, 1 FROM tenant t, generate_series(1, 20);
         CREATE TEMP TABLE seat AS SELECT tenant_id, id, row_number() OVER () - 1 AS n FROM resources;
         CREATE TEMP TABLE visit AS
         SELECT s.tenant_id AS tenant, s.id AS resource, gen_random_uuid() AS allocation, gen_random_uuid() AS claim,
                gen_random_uuid() AS booking, gen_random_uuid() AS confirmation,
                tstzrange('2030-01-01+00'::timestamptz + i / 2000 * interval '1 hour',
                          '2030-01-01+00'::timestamptz + i / 2000 * interval '1 hour' + interval '50 min') AS during
           FROM generate_series(0, {rows} - 1) AS i JOIN seat s ON s.n = i % 2000;
         INSERT INTO allocations (tenant_id, id, resource_id, during, kind, claim_id)
         SELECT tenant, allocation, resource, during, 'booked', claim FROM visit;
         INSERT INTO confirmations (tenant_id, id, operation, key, checksum, outcome, booking_id, rows, snapshot)
         SELECT tenant, confirmation, 'book', confirmation::text,
                sha256(convert_to('{{\"operation\":\"book\",\"request\":' || ({request}) || '}}', 'UTF8')), 'confirmed', booking, 1,
                jsonb_build_object('v', 1, 'schema', 1, 'operation', 'book', 'request', ({request})::jsonb,
                    'at', statement_timestamp(), 'allocations', jsonb_build_array(jsonb_build_object('id', allocation,
                    'resource', resource, 'window', jsonb_build_object('start', lower(during), 'end', upper(during)))))
           FROM visit;
         INSERT INTO bookings (tenant_id, id, status, revision, during, buffer_before_seconds, buffer_after_seconds, claim_id,
                confirmation_id, metadata, history)
         SELECT v.tenant, v.booking, 'confirmed', 1, v.during, 0, 0, v.claim, v.confirmation, '{{}}',
                jsonb_build_array(jsonb_build_object('revision', 1, 'status', 'confirmed', 'confirmation', v.confirmation,
                    'changed_at', c.decided_at, 'window',
                    jsonb_build_object('start', lower(v.during), 'end', upper(v.during))))
           FROM visit v JOIN confirmations c ON c.tenant_id = v.tenant AND c.id = v.confirmation;
         DROP TABLE visit, seat, tenant; ANALYZE; RESET search_path"
    );
    client.batch_execute(&sql).await.unwrap();
}
