//! What is printed at the end: medians of this run, as Criterion wrote them.

use crate::support::{House, only_checking, target};

/// Every id, what it is measured against besides the bare insert, and the project's goal against the bare insert on a
/// durable server.
const IDS: [(&str, Option<&str>, Option<f64>); 16] = [
    ("place_1", Some("raw_place_1"), Some(1.4)),
    ("confirm_2", Some("raw_confirm_2"), Some(1.5)),
    ("book_1", Some("raw_book_1"), Some(1.7)),
    ("cancel", None, None),
    ("move", None, None),
    ("replay", None, None),
    ("place_1_of_8_pipelined", None, None),
    ("book_1_of_8_in_a_transaction", None, None),
    ("raw_place_1", None, None),
    ("raw_confirm_2", None, None),
    ("raw_book_1", None, None),
    ("locked_look", None, None),
    ("insert_catch", None, None),
    ("advisory", None, None),
    ("serializable", None, None),
    ("bare_insert_heap", None, None),
];

pub fn print(group: &str) {
    if only_checking() {
        return;
    }
    let Some(bare) = median(group, "bare_insert") else { return };
    println!("{group}: × bare_insert ({bare:.0} µs)");
    for (id, raw, goal) in IDS {
        let Some(time) = median(group, id) else { continue };
        let goal = goal.map(|goal| format!(", goal {goal} when durable")).unwrap_or_default();
        let raw = raw.and_then(|raw| median(group, raw)).map(|raw| format!(", {:.2} × raw", time / raw));
        println!("  {:5.2}  {id} ({time:.0} µs){goal}{}", time / bare, raw.unwrap_or_default());
    }
}

/// In µs. Of an id that was not run now, the figure of its last run.
fn median(group: &str, id: &str) -> Option<f64> {
    let path = target().join("criterion").join(group).join(id).join("new/estimates.json");
    let text = std::fs::read_to_string(path).ok()?;
    let estimates: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(estimates["median"]["point_estimate"].as_f64()? / 1_000.0)
}

/// Confirming must stay within its page: an index on anything it changes shows here at once.
pub async fn hot_updates(house: &House) {
    // A session reports its counters late unless told; before version 15 it cannot be told.
    if house.db.server().version_num() >= 150_000 {
        house.client.batch_execute("SELECT pg_stat_force_next_flush()").await.expect("counters reported");
    }
    house.client.batch_execute("SELECT pg_stat_clear_snapshot()").await.expect("fresh statistics");
    let query = "SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables
                  WHERE schemaname = 'slotkeeper' AND relname IN ('allocations', 'holds') ORDER BY relname";
    for row in house.client.query(query, &[]).await.expect("statistics") {
        let (table, updates, hot): (&str, i64, i64) = (row.get(0), row.get(1), row.get(2));
        println!("hot updates on {table}: {hot} of {updates}");
    }
}
