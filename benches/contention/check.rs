//! What the tables hold after a cell, in plain SQL, against what callers were told.

use crate::{
    cell::{Cell, Tally},
    row::Row,
    scenario::{Scenario, quarter},
    support::recipes::Recipe,
};
use std::ops::Range;

/// Returns how many live rows overlap an earlier one: a recipe that double-books is for the report, the library's must not.
/// Of every recipe it is asserted that what callers were told of is there.
pub async fn after(cell: Cell, db: &kit::Database, windows: Range<usize>, total: &Tally) -> i64 {
    let Cell { scenario, recipe, tasks } = cell;
    let name = format!("{} {} with {tasks} tasks", scenario.name(), recipe.name());
    let (rows, overlaps) = count(db, recipe.table(), windows).await;
    assert_eq!(rows, total.won * scenario.rows(), "{name}: rows that callers were told of");
    if recipe.is_library() {
        assert_eq!(overlaps, 0, "{name}: overlaps");
        let winners = match scenario {
            Scenario::OneWindow | Scenario::OneWindowOverLink | Scenario::EightWindows => {
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

/// Live rows in the cell's windows, and those of them that begin before an earlier one of their table has ended. One
/// sort, no index: neither a poor plan nor a damaged index has a say.
async fn count(db: &kit::Database, table: &str, windows: Range<usize>) -> (usize, i64) {
    let (from, to) = (quarter(windows.start).start(), quarter(windows.end).start());
    let sql = format!(
        "SELECT count(*), count(*) FILTER (WHERE lower(during) < latest)
           FROM (SELECT during, max(upper(during)) OVER (PARTITION BY tenant_id, resource_id
                        ORDER BY lower(during), id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS latest
                   FROM {table} WHERE during && tstzrange($1, $2) AND released_at IS NULL) live"
    );
    let client = db.client().await.expect("a client");
    let row = client.query_one(&sql, &[&from, &to]).await.expect("counts");
    (usize::try_from(row.get::<_, i64>(0)).expect("a count"), row.get(1))
}

/// A check that finds nothing where nothing guards cannot find anything.
pub fn control(results: &[Row]) {
    let mut unguarded = results.iter().filter(|row| row.recipe == Recipe::LookOnly.name()).peekable();
    if unguarded.peek().is_some() {
        assert!(unguarded.any(|row| row.overlaps > 0), "look_only has not double-booked");
    }
}
