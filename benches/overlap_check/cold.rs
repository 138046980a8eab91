//! The free probe when PostgreSQL's buffers hold nothing of the layout. The operating system's cache stays warm: this is
//! the cost of fetching the pages from there, not from a disk.

use super::{
    asks::{Asks, Question},
    layout::Layout,
    probe::answer,
    served::median,
    support::{House, only_checking},
};
use std::time::Instant;

/// Larger buffers are somebody's real server, not one to be filled.
const MOST_BUFFERS: i64 = 131_072;

/// A table as large as the buffers, to push everything else out; none where that cannot be done.
pub async fn filler(house: &House) -> bool {
    let sql = "SELECT setting::bigint FROM pg_settings WHERE name = 'shared_buffers'";
    let buffers: i64 = house.client.query_one(sql, &[]).await.expect("a setting").get(0);
    if buffers > MOST_BUFFERS {
        println!("overlap_check: SKIPPED cold: shared_buffers of {buffers} pages are too many to fill");
        return false;
    }
    let extensions =
        "CREATE EXTENSION IF NOT EXISTS pg_prewarm; CREATE EXTENSION IF NOT EXISTS pg_buffercache";
    if house.client.batch_execute(extensions).await.is_err() {
        println!("overlap_check: SKIPPED cold: the server has no pg_prewarm or no pg_buffercache");
        return false;
    }
    // One row a page, because a stored-as-it-is text of 7,000 bytes leaves no room for a second.
    let fill =
        format!("INSERT INTO bench.filler SELECT repeat('x', 7000) FROM generate_series(1, {buffers})");
    for statement in [
        "CREATE UNLOGGED TABLE bench.filler (page text)",
        "ALTER TABLE bench.filler ALTER COLUMN page SET STORAGE PLAIN",
        &fill,
        "VACUUM bench.filler",
    ] {
        house.client.batch_execute(statement).await.expect("a filler");
    }
    true
}

/// Medians, in microseconds with the way to the server: right after emptying, and the same question again.
pub async fn measure(house: &House, layout: &Layout, asks: &Asks) -> (f64, f64) {
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for ask in asks.probes.iter().take(if only_checking() { 2 } else { 50 }) {
        empty(house, layout).await;
        for times in [&mut cold, &mut warm] {
            let start = Instant::now();
            answer(house, layout, Question::Free, ask).await;
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    (median(cold), median(warm))
}

/// Pages used often survive a few rounds, so it is repeated until none is left.
async fn empty(house: &House, layout: &Layout) {
    let left = "SELECT count(*) FROM pg_buffercache b
                 WHERE b.reldatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
                   AND b.relfilenode IN (
                       SELECT pg_relation_filenode(t) FROM unnest(ARRAY[$1, 'slotkeeper.resources']::regclass[]) t
                       UNION ALL
                       SELECT pg_relation_filenode(x.indexrelid) FROM pg_index x
                        WHERE x.indrelid = ANY (ARRAY[$1, 'slotkeeper.resources']::regclass[]))";
    let left = left.replace("$1", &format!("'{}'", layout.table));
    for _ in 0..20 {
        house.client.query_one("SELECT pg_prewarm('bench.filler')", &[]).await.expect("filled");
        let statement = house.client.prepare_cached(&left).await.expect("prepared");
        if house.client.query_one(&statement, &[]).await.expect("a count").get::<_, i64>(0) == 0 {
            return;
        }
    }
    panic!("{}: some of its pages stay in the buffers", layout.name);
}
