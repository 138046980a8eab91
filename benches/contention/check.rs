//! What the tables hold after a cell, in plain SQL, against what callers were told.

use crate::{
    cell::{Cell, Tally},
    row::Row,
    scenario::{Scenario, quarter},
    support::recipes::Recipe,
};
use std::ops::Range;

/// Returns the pairs of live rows that overlap: a recipe that double-books is for the report, the library's must not.
/// Of every recipe it is asserted that what callers were told of is there.
pub async fn after(cell: Cell, db: &kit::Database, windows: Range<usize>, total: &Tally) -> i64 {
    let Cell { scenario, recipe, tasks } = cell;
    let name = format!("{} {} with {tasks} tasks", scenario.name(), recipe.name());
    let (rows, overlaps) = count(db, recipe.table(), windows).await;
    assert_eq!(rows, total.won * scenario.rows(), "{name}: rows that callers were told of");
    if recipe.is_library() {
        assert_eq!(overlaps, 0, "{name}: overlaps");
        let winners = match scenario {
            Scenario::OneWindow | Scenario::EightWindows => {
                let each = total.rounds * scenario.windows(tasks);
                each..=each
            }
            // At most two claims of four of eight tables fit, and who is first wins.
            Scenario::MultiRandom => total.rounds..=total.rounds * 2,
            Scenario::Disjoint => total.decisions()..=total.decisions(),
        };
        assert!(winners.contains(&total.won), "{name}: {} winners, not {winners:?}", total.won);
    }
    overlaps
}

/// Rows in the cell's windows, and pairs of which at least one is there.
async fn count(db: &kit::Database, table: &str, windows: Range<usize>) -> (usize, i64) {
    let (from, to) = (quarter(windows.start).start(), quarter(windows.end).start());
    let client = db.client().await.expect("a client");
    // By index: of a table with many rows in the cell, hashing by table would compare each with each.
    client.batch_execute("SET enable_hashjoin = off; SET enable_mergejoin = off").await.expect("settings");
    let sql = format!("SELECT count(*) FROM {table} WHERE during && tstzrange($1, $2)");
    let rows: i64 = client.query_one(&sql, &[&from, &to]).await.expect("a count").get(0);
    let sql = format!(
        "SELECT count(*) FROM {table} a JOIN {table} b
             ON b.tenant_id = a.tenant_id AND b.resource_id = a.resource_id AND b.during && a.during AND b.id <> a.id
            AND b.released_at IS NULL AND (b.id > a.id OR NOT b.during && tstzrange($1, $2))
          WHERE a.during && tstzrange($1, $2) AND a.released_at IS NULL"
    );
    let overlaps = client.query_one(&sql, &[&from, &to]).await.expect("a count").get(0);
    (usize::try_from(rows).expect("a count"), overlaps)
}

/// A check that finds nothing where nothing guards cannot find anything.
pub fn control(results: &[Row]) {
    let mut unguarded = results.iter().filter(|row| row.recipe == Recipe::LookOnly.name()).peekable();
    if unguarded.peek().is_some() {
        assert!(unguarded.any(|row| row.overlaps > 0), "look_only has not double-booked");
    }
}
