//! A million rows, of which a few thousand are wrong.

use std::time::{Duration, Instant};

use super::counts;
use slotkeeper::migrate::Migrator;
use slotkeeper::rollout::{FindingKind, PreflightOptions};
use tokio_postgres::Client;

const DUPLICATES: u64 = 500;
const ORPHANS: u64 = 200;
const OVERLAPS: u64 = 1000;

/// A thousand resources of ten tenants, booked back to back for `rows / 1000` hours each. Of each resource the fourth
/// visit lasts half an hour too long; then rows with an id that is taken, and rows of resources nobody has.
async fn fill(client: &Client, rows: u64) {
    let id = |kind: &str, number: &str| format!("md5('{kind}' || {number})::uuid");
    let hours = rows / 1000;
    let sql = format!(
        "ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_resource_during_excl;
         ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_resource_fkey;
         ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_pkey;
         INSERT INTO slotkeeper.resources
             (tenant_id, id, kind, name, capacity, min_party, attributes, active, revision)
         SELECT {tenant}, {resource}, 'table', n::text, 4, 1, '{{}}', true, 1 FROM generate_series(0, 999) AS n;
         INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
         SELECT {tenant}, {allocation}, {resource},
             tstzrange(opens + hour * interval '1 hour',
                 opens + (hour + CASE hour WHEN 3 THEN 1.5 ELSE 1 END) * interval '1 hour'),
             'booked', {allocation}
         FROM (SELECT at, at / {hours} AS n, at % {hours} AS hour, '2020-01-01'::timestamptz AS opens
               FROM generate_series(0, {rows} - 1) AS at ORDER BY md5(at::text)) AS visits;
         INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
         SELECT tenant_id, id, resource_id, '[2150-01-01,2150-01-02)', 'booked', claim_id
         FROM (SELECT DISTINCT ON (resource_id) * FROM slotkeeper.allocations ORDER BY resource_id, id) AS taken
         LIMIT {DUPLICATES};
         INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
         SELECT {tenant}, {orphan}, {orphan}, '[2150-01-01,2150-01-02)', 'booked', {orphan}
         FROM generate_series(1, {ORPHANS}) AS n;
         ANALYZE slotkeeper.allocations; ANALYZE slotkeeper.resources",
        tenant = id("tenant", "n % 10"),
        resource = id("resource", "n"),
        allocation = id("allocation", "at"),
        orphan = id("orphan", "n"),
    );
    client.batch_execute(&sql).await.unwrap();
}

/// The most memory this process has had, in MiB.
fn high_water() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test]
#[ignore = "minutes: SLOTKEEPER_PREFLIGHT_ROWS=100000,1000000 SLOTKEEPER_PREFLIGHT_SECONDS=10"]
async fn exactly_the_planted_damage_is_found_among_a_million_rows_in_seconds() {
    let sizes = std::env::var("SLOTKEEPER_PREFLIGHT_ROWS").unwrap_or_else(|_| "100000,1000000".to_owned());
    let seconds = std::env::var("SLOTKEEPER_PREFLIGHT_SECONDS").unwrap_or_else(|_| "10".to_owned());
    let budget = Duration::from_secs(seconds.parse().unwrap());
    let mut times: Vec<(u64, Duration)> = Vec::new();
    for rows in sizes.split(',').map(|text| text.parse::<u64>().unwrap()) {
        let database = kit::database().await.unwrap();
        let mut client = database.client().await.unwrap();
        fill(&client, rows).await;
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let started = Instant::now();
            let preflight =
                Migrator::new().preflight_with(&mut client, PreflightOptions::new()).await.unwrap();
            best = best.min(started.elapsed());
            let expected = [
                (FindingKind::Overlap, OVERLAPS, OVERLAPS),
                (FindingKind::Duplicate, DUPLICATES, DUPLICATES),
                (FindingKind::Orphan, ORPHANS, ORPHANS),
            ];
            let mut found = counts(&preflight);
            found.sort();
            assert_eq!(found, expected, "{preflight}");
            println!("{rows} rows: {:?}, {} MiB", started.elapsed(), high_water());
        }
        times.push((rows, best));
    }
    for pair in times.windows(2) {
        println!(
            "{} against {} rows: {:.1} times",
            pair[1].0,
            pair[0].0,
            pair[1].1.div_duration_f64(pair[0].1)
        );
    }
    assert!(times.iter().all(|(rows, time)| *rows > 1_000_000 || *time <= budget), "{times:?}");
    assert!(high_water() <= 256, "{} MiB", high_water());
}
