//! Reads touch a handful of pages however full the house is: a plan that reads more is a defect no answer shows.

use serde_json::Value;
use tokio_postgres::{Client, SimpleQueryMessage};

/// Pages of a descent through each index a read needs, and of a week's rows; the whole house has thousands.
const MOST_PAGES: u64 = 40;

/// 34 tenants × 40 tables, 30 bookings a table: sizes at which the planner believes that a table has one booking.
const HOUSE: &str = "
    INSERT INTO slotkeeper.resources (tenant_id, id, kind, name, capacity, min_party, attributes, active, revision)
    SELECT t, gen_random_uuid(), 'table', 'table', 4, 1, '{}', true, 1
      FROM (SELECT gen_random_uuid() AS t FROM generate_series(1, 34)) tenants, generate_series(1, 40);
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
    SELECT r.tenant_id, gen_random_uuid(), r.id, tstzrange(s, s + interval '90 min'), 'booked', gen_random_uuid()
      FROM generate_series(0, 29) AS n, slotkeeper.resources r,
           LATERAL (SELECT timestamptz '2030-01-01Z' + n * interval '2 hours' AS s) w";

/// Pages touched by a statement run with the plan every call shares.
async fn pages(client: &Client, statement: &str, values: &str) -> u64 {
    client.batch_execute(&format!("PREPARE read AS {statement}")).await.unwrap();
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE read({values})");
    // The first run also reads catalogues.
    client.simple_query(&explain).await.unwrap();
    let said = client.simple_query(&explain).await.unwrap();
    client.batch_execute("DEALLOCATE read").await.unwrap();
    let text = said.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let plan: Value = serde_json::from_str(text.unwrap()).unwrap();
    let blocks = |name: &str| plan[0]["Plan"][name].as_u64().unwrap();
    blocks("Shared Hit Blocks") + blocks("Shared Read Blocks")
}

#[tokio::test]
async fn a_read_touches_a_handful_of_pages_of_a_full_house() {
    let db = kit::database().await.unwrap();
    let client = db.client().await.unwrap();
    client.batch_execute(HOUSE).await.unwrap();
    client.batch_execute("VACUUM ANALYZE").await.unwrap();
    client.batch_execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    let place = "SELECT tenant_id, id FROM slotkeeper.resources ORDER BY id LIMIT 1 OFFSET 700";
    let row = client.query_one(place, &[]).await.unwrap();
    let (tenant, table): (uuid::Uuid, uuid::Uuid) = (row.get(0), row.get(1));
    let day = "[2030-01-02 00:00Z,2030-01-03 00:00Z)";
    let values = format!("'{tenant}', '{table}', '{day}'");

    // Control: a read that no index serves is found out.
    let blind = "SELECT FROM slotkeeper.allocations a WHERE a.tenant_id = $1 AND a.resource_id = $2 AND a.during && $3";
    assert!(pages(&client, blind, &values).await > MOST_PAGES);

    let listed = format!("{values}, 100");
    let several = format!("'{tenant}', '{{{table}}}', '{{\"{day}\"}}'");
    for (name, statement, values) in [
        ("is_free", include_str!("../../../src/sql/allocation/is_free.sql"), &values),
        ("free_windows", include_str!("../../../src/sql/allocation/free_windows.sql"), &values),
        ("list_by_resource", include_str!("../../../src/sql/allocation/list_by_resource.sql"), &listed),
        ("blockers", include_str!("../../../src/sql/allocation/blockers.sql"), &several),
    ] {
        let pages = pages(&client, statement, values).await;
        assert!(pages <= MOST_PAGES, "{name}: {pages} pages");
    }
}
