//! What a layout costs to have: loading, room, inserting, building.

use super::{
    asks::Asks,
    layout::Layout,
    served::median,
    support::{House, only_checking},
};
use slotkeeper::{AllocationId, ClaimId, ResourceId, TenantId, Window};
use std::time::{Duration, Instant};

/// The columns of `slotkeeper.allocations`; the rows every layout is given, in one order.
const SOURCE: &str = "CREATE SCHEMA bench;
    CREATE TABLE bench.live (
        tenant_id uuid NOT NULL, id uuid NOT NULL, resource_id uuid NOT NULL, kind text NOT NULL,
        during tstzrange NOT NULL, claim_id uuid NOT NULL, expires_at timestamptz, released_at timestamptz,
        shadow boolean NOT NULL DEFAULT false);
    INSERT INTO bench.live
    SELECT tenant_id, id, resource_id, kind, during, claim_id, expires_at, released_at, shadow
      FROM slotkeeper.allocations WHERE released_at IS NULL AND NOT shadow;
    CREATE TABLE bench.probes (n integer, tenant_id uuid, resource_id uuid, during tstzrange)";

const COLUMNS: &str = "tenant_id, id, resource_id, kind, during, claim_id, expires_at, released_at, shadow";

pub type Place = (TenantId, ResourceId, Window);

/// Copies the live rows aside, and returns those outside opening hours, which `Past` does not tell.
pub async fn set_aside(house: &House) -> Vec<Place> {
    house.client.batch_execute(SOURCE).await.expect("the live rows");
    let nights = "SELECT tenant_id, resource_id, during FROM bench.live
                   WHERE extract(hour FROM lower(during) AT TIME ZONE 'UTC') < 11";
    let rows = house.client.query(nights, &[]).await.expect("the nights");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

/// Adds the expired holds and the probes, once the book is known.
pub async fn complete(house: &House, asks: &Asks) {
    let count: i64 =
        house.client.query_one("SELECT count(*) FROM bench.live", &[]).await.expect("a count").get(0);
    assert_eq!(usize::try_from(count).ok(), Some(asks.live), "the sweep and the server know the same rows");
    let holds = "INSERT INTO bench.live (tenant_id, id, resource_id, kind, during, claim_id, expires_at)
                 SELECT $1, gen_random_uuid(), $2, 'held', tstzrange(at, at + interval '15 min'), gen_random_uuid(),
                        now() - interval '1 day'
                   FROM generate_series(0, $4::bigint - 1) n
                  CROSS JOIN LATERAL (SELECT $3::timestamptz + n * interval '15 min' AS at) s";
    for hold in &asks.expired {
        let start = super::support::opening() + chrono::TimeDelta::days(hold.days_in);
        let done = house.client.execute(holds, &[&hold.tenant, &hold.table, &start, &hold.count]).await;
        done.expect("expired holds");
    }
    let (mut n, mut tenants, mut tables, mut windows) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (at, ask) in (0_i32..).zip(&asks.probes) {
        n.push(at);
        tenants.push(ask.tenant);
        tables.push(ask.table);
        windows.push(ask.window);
    }
    let probes =
        "INSERT INTO bench.probes SELECT * FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::tstzrange[])";
    house.client.execute(probes, &[&n, &tenants, &tables, &windows]).await.expect("probes");
    house.client.batch_execute("VACUUM ANALYZE bench.probes").await.expect("statistics");
}

/// Rows a second into the empty table, its indexes there from the start: one statement, one transaction.
pub async fn load(house: &House, layout: &Layout) -> f64 {
    let (client, table) = (&house.client, &layout.table);
    if layout.is_library() {
        client.batch_execute("TRUNCATE slotkeeper.allocations").await.expect("an empty table");
    } else {
        // Nothing else may answer a probe, so the primary key does not begin with the tenant.
        let typed =
            if layout.name == "source_gist4" { ", resource_type text NOT NULL DEFAULT 'table'" } else { "" };
        let create = format!(
            "CREATE TABLE {table} (LIKE bench.live INCLUDING DEFAULTS{typed}, PRIMARY KEY (id)) WITH (fillfactor = 85)"
        );
        client.batch_execute(&create).await.expect("a table");
        for index in &layout.indexes {
            client.batch_execute(&index.create).await.expect("an index");
        }
    }
    let start = Instant::now();
    let sql = format!("INSERT INTO {table} ({COLUMNS}) SELECT {COLUMNS} FROM bench.live");
    let rows = client.execute(&sql, &[]).await.expect("rows");
    let rate = rows as f64 / start.elapsed().as_secs_f64();
    client.batch_execute(&format!("VACUUM ANALYZE {table}")).await.expect("statistics");
    client.batch_execute("CHECKPOINT").await.expect("a checkpoint");
    rate
}

/// Bytes of the deciding indexes, of all indexes, of the table.
pub async fn sizes(house: &House, layout: &Layout) -> (i64, i64, i64) {
    let sql = "SELECT coalesce(sum(pg_relation_size(x.indexrelid)) FILTER (WHERE c.relname = ANY ($2::text[])), 0)::bigint,
                      sum(pg_relation_size(x.indexrelid))::bigint, pg_relation_size($1::text::regclass)
                 FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE x.indrelid = $1::text::regclass";
    let names: Vec<&str> = layout.indexes.iter().map(|index| index.name.as_str()).collect();
    let row = house.client.query_one(sql, &[&layout.table, &names]).await.expect("sizes");
    (row.get(0), row.get(1), row.get(2))
}

/// Median microseconds of one prepared autocommit INSERT into a free window, the way to the server included.
pub async fn insert(house: &House, layout: &Layout, places: &[Place]) -> f64 {
    let sql = format!(
        "INSERT INTO {} (tenant_id, id, resource_id, during, kind, claim_id) VALUES ($1, $2, $3, $4::tstzrange, 'booked', $5)",
        layout.table
    );
    let statement = house.client.prepare_cached(&sql).await.expect("a statement");
    let mut times = Vec::new();
    for (tenant, table, window) in places {
        let (id, claim) = (AllocationId::generate(), ClaimId::generate());
        let start = Instant::now();
        let done = house.client.execute(&statement, &[tenant, &id, table, window, &claim]).await;
        times.push(start.elapsed().as_secs_f64() * 1e6);
        assert_eq!(done.expect("a free place"), 1);
    }
    median(times)
}

/// Drops the deciding indexes and makes them again on the full table.
pub async fn rebuild(house: &House, layout: &Layout) -> Duration {
    for index in &layout.indexes {
        house.client.batch_execute(&index.drop).await.expect("an index gone");
    }
    let start = Instant::now();
    for index in &layout.indexes {
        house.client.batch_execute(&index.create).await.expect("an index");
    }
    start.elapsed()
}

pub async fn discard(house: &House, layout: &Layout) {
    if !layout.is_library() {
        house.client.batch_execute(&format!("DROP TABLE {}", layout.table)).await.expect("a table gone");
    }
}

pub fn inserts() -> usize {
    if only_checking() { 50 } else { 2_000 }
}
