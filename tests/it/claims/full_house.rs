//! However full the house is, a read touches a handful of pages and a write a handful of rows: a plan that reads more is a
//! defect no answer shows.

use super::common::*;
use serde_json::Value;
use slotkeeper::Executor;
use tokio_postgres::{Client, SimpleQueryMessage};

/// Pages of a descent through each index a read needs, and of a week's rows; the whole house has thousands.
const MOST_PAGES: u64 = 40;

/// Index entries and rows a write of two places may read, of the 1,200 a tenant has.
const MOST_ROWS: i64 = 150;

/// 34 tenants × 40 tables, 30 bookings a table: sizes at which the planner believes that a table has one booking.
const HOUSE: &str = "
    INSERT INTO slotkeeper.resources (tenant_id, id, kind, name, capacity, min_party, attributes, active, revision)
    SELECT t, gen_random_uuid(), 'table', 'table', 4, 1, '{}', true, 1
      FROM (SELECT gen_random_uuid() AS t FROM generate_series(1, 34)) tenants, generate_series(1, 40);
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
    SELECT r.tenant_id, gen_random_uuid(), r.id, tstzrange(s, s + interval '90 min'), 'booked', gen_random_uuid()
      FROM generate_series(0, 29) AS n, slotkeeper.resources r,
           LATERAL (SELECT timestamptz '2030-01-01Z' + n * interval '2 hours' AS s) w";

async fn fill(client: &Client) {
    client.batch_execute(HOUSE).await.unwrap();
    client.batch_execute("VACUUM ANALYZE").await.unwrap();
}

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
    fill(&client).await;
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

/// Index entries and rows of whole tables read so far, as the server counts them once the sessions have ended.
async fn rows_read(db: &kit::Database) -> i64 {
    db.deadlocks().await.unwrap();
    let sql = "SELECT ((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = 'slotkeeper') +
                      (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE schemaname = 'slotkeeper'))::bigint";
    db.client().await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_write_reads_a_handful_of_rows_of_a_full_house() {
    let db = kit::database().await.unwrap();
    fill(&db.client().await.unwrap()).await;
    let shared = format!("ALTER DATABASE {} SET plan_cache_mode = force_generic_plan", db.name());
    db.client().await.unwrap().batch_execute(&shared).await.unwrap();
    let (pool, keeper) = (db.pool(1), Slotkeeper::new());
    let sql = "SELECT tenant_id, array_agg(id) FROM slotkeeper.resources GROUP BY 1 ORDER BY 1 LIMIT 1";
    let row = db.client().await.unwrap().query_one(sql, &[]).await.unwrap();
    let (tenant, tables): (TenantId, Vec<ResourceId>) = (row.get(0), row.get(1));
    let two = |from| all(&tables[..2], from, from + 30);
    let day = 10 * 24 * 60;
    // The bookkeeping tables have a past as well.
    for n in 0..300 {
        let claim = one(tables[2 + n % 30], day + 60 * n as i64, day + 60 * n as i64 + 30);
        let booked =
            keeper.bookings().book(&pool, &BookPlaces::new(tenant, claim, fresh_key())).await.unwrap();
        booked.into_result().unwrap();
    }
    db.client().await.unwrap().batch_execute("ANALYZE").await.unwrap();

    // Control: reading a tenant whole is found out.
    let before = rows_read(&db).await;
    let whole = "SELECT count(during) FROM slotkeeper.allocations WHERE tenant_id = $1";
    db.client().await.unwrap().query_one(whole, &[&tenant]).await.unwrap();
    assert!(rows_read(&db).await - before > MOST_ROWS);

    let mut hold = None;
    let mut booking = None;
    for write in ["place", "replace", "extend", "confirm", "move", "cancel", "book", "block", "sweep"] {
        let before = rows_read(&db).await;
        let db_of: &dyn Executor = &pool;
        let (holds, bookings) = (keeper.holds(), keeper.bookings());
        match write {
            "place" => hold = Some(holds.place(db_of, &PlaceHold::new(tenant, two(day))).await.unwrap()),
            "replace" => {
                let new = PlaceHold::new(tenant, two(day + 60));
                hold = Some(holds.replace(db_of, &ReplaceHold::new(hold.unwrap().id, new)).await.unwrap());
            }
            "extend" => {
                let held = hold.as_ref().unwrap();
                let until = held.expires_at + chrono::TimeDelta::minutes(1);
                holds.extend(db_of, &ExtendHold::new(tenant, held.id, until).unwrap()).await.unwrap();
            }
            "confirm" => {
                let confirm = ConfirmHold::new(tenant, hold.as_ref().unwrap().id, fresh_key());
                booking = Some(bookings.confirm(db_of, &confirm).await.unwrap().into_result().unwrap());
            }
            "move" => {
                let moved = MoveBooking::new(tenant, booking.unwrap(), 1, two(day + 120), fresh_key());
                bookings.move_to(db_of, &moved).await.unwrap().into_result().unwrap();
            }
            "cancel" => {
                let cancel = CancelBooking::new(tenant, booking.unwrap(), fresh_key());
                bookings.cancel(db_of, &cancel).await.unwrap().into_result().unwrap();
            }
            "book" => {
                let book = BookPlaces::new(tenant, two(day + 180), fresh_key());
                bookings.book(db_of, &book).await.unwrap().into_result().unwrap();
            }
            "block" => {
                let block = Block::new(tenant, two(day + 240));
                let _: slotkeeper::BlackoutId = keeper.allocations().block(db_of, &block).await.unwrap();
            }
            _ => {
                let _: Swept = holds.sweep(db_of, &SweepHolds::new(tenant)).await.unwrap();
            }
        }
        let read = rows_read(&db).await - before;
        assert!(read <= MOST_ROWS, "{write}: {read} rows");
    }
}
