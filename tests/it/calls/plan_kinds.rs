//! Which plans the statements run on: the generic one, made once, however many rows there are and whatever the statistics
//! say. A plan made anew for each call costs more than the statement itself, and nobody is told.

use super::{
    act::Answer,
    stage::*,
    successes::{reads, writes},
};
use crate::support::*;
use std::collections::BTreeMap;

/// The planner compares after five.
const CALLS: usize = 14;

/// Rows nobody asks for: bookings of other times, on the stage's own resources and on others.
async fn crowd(h: &House, rows: i64) {
    h.sql(&format!(
        "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
         SELECT r.tenant_id, gen_random_uuid(), r.id, tstzrange(s, s + interval '50 min'), 'booked', gen_random_uuid()
           FROM (SELECT tenant_id, id, count(*) OVER () AS of FROM slotkeeper.resources WHERE active) r,
                LATERAL generate_series(1, {rows} / r.of) n, LATERAL (
                SELECT timestamptz '1990-01-01Z' + n * interval '1 hour' AS s) w;
         INSERT INTO slotkeeper.bookings (tenant_id, id, status, revision, during, buffer_before_seconds,
                buffer_after_seconds, metadata)
         SELECT tenant_id, gen_random_uuid(), 'pending', 1, during, 0, 0, '{{}}' FROM slotkeeper.allocations;
         INSERT INTO slotkeeper.holds (tenant_id, id, status, during, buffer_before_seconds, buffer_after_seconds, rows,
                expires_at, latest_expires_at)
         SELECT tenant_id, gen_random_uuid(), 'released', during, 0, 0, 1, now(), now() FROM slotkeeper.allocations;
         INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, rows, snapshot)
         SELECT tenant_id, gen_random_uuid(), 'book', id::text, '', 'conflict', 0, '{{}}' FROM slotkeeper.allocations"
    ))
    .await;
    h.sql("ANALYZE").await;
}

/// By the name on their first line: how often each ran on a plan of its own.
async fn custom_plans(client: &deadpool_postgres::Client) -> BTreeMap<String, i64> {
    let sql = "SELECT split_part(split_part(statement, E'\\n', 1), '-- ', 2), custom_plans FROM pg_prepared_statements
                WHERE statement LIKE '-- %'";
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn every_statement_keeps_its_generic_plan_at_any_size() {
    for rows in [0, 1_000, 100_000] {
        let h = House::open().await;
        let stage = Stage::open(&h).await;
        crowd(&h, rows).await;
        // A connection of its own: plans made while the tables were empty would look cheap for a while.
        let mut client = h.db.pool(1).get().await.unwrap();
        for call in writes().into_iter().chain(reads()) {
            for _ in 0..CALLS {
                let tx = client.transaction().await.unwrap();
                assert_eq!((call.act)(&stage, &tx).await, Answer::Done, "{}", call.name);
                tx.rollback().await.unwrap();
            }
        }
        let dear: BTreeMap<_, _> =
            custom_plans(&client).await.into_iter().filter(|(_, custom)| *custom > 5).collect();
        assert_eq!(dear, BTreeMap::new(), "{rows} rows");
    }
}
