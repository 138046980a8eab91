//! Confirming must stay within its page: an index on anything it changes shows here at once.

use crate::{
    library::Confirm2,
    support::{House, only_checking},
    write::timed,
};
use serde_json::{Value, json};

/// Confirms holds of two tables and counts which of their updates were HOT.
pub async fn updates(group: &str, house: &mut House) -> Value {
    let before = counters(house).await;
    timed::<Confirm2>(house, if only_checking() { 10 } else { 2_000 }).await;
    let after = counters(house).await;
    let [updates, hot] = [after[0] - before[0], after[1] - before[1]];
    println!("{group}: {hot} of {updates} updates of a confirm were HOT");
    json!({ "group": group, "id": "hot_updates", "updates": updates, "hot": hot })
}

/// All updates of allocations and holds so far, and the HOT ones.
async fn counters(house: &House) -> [i64; 2] {
    // A session reports its counters late unless told; before version 15 it cannot be told.
    if house.db.server().version_num() >= 150_000 {
        house.client.batch_execute("SELECT pg_stat_force_next_flush()").await.expect("counters reported");
    }
    house.client.batch_execute("SELECT pg_stat_clear_snapshot()").await.expect("fresh statistics");
    let query = "SELECT sum(n_tup_upd)::bigint, sum(n_tup_hot_upd)::bigint FROM pg_stat_user_tables
                  WHERE schemaname = 'slotkeeper' AND relname IN ('allocations', 'holds')";
    let row = house.client.query_one(query, &[]).await.expect("statistics");
    [row.get(0), row.get(1)]
}
