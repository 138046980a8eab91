//! The judge's judge: looks for overlaps in what the database holds, without asking the database.

use anyhow::{Result, ensure};
use chrono::TimeDelta;
use deadpool_postgres::Client;
use slotkeeper::{ResourceId, Window};

/// A room and when it is taken.
pub(crate) type Taken = (ResourceId, Window);

/// Everything that is booked now, read by plain SQL.
pub(crate) async fn read(client: &Client) -> Result<Vec<Taken>> {
    let query = "SELECT resource_id, during FROM slotkeeper.allocations WHERE released_at IS NULL";
    let rows = client.query(query, &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Sorts by room and start, and counts the stays that begin before an earlier one in the same room has ended.
pub(crate) fn overlaps(taken: &[Taken]) -> usize {
    let mut taken = taken.to_vec();
    taken.sort_unstable();
    let mut latest: Option<Taken> = None;
    let mut overlaps = 0;
    for (room, window) in taken {
        match latest {
            Some((same, earlier)) if same == room && window.start() < earlier.end() => {
                overlaps += 1;
                if earlier.end() >= window.end() {
                    continue;
                }
            }
            _ => {}
        }
        latest = Some((room, window));
    }
    overlaps
}

/// A check that cannot fail shows nothing: a copy of any one stay, an hour later, must be found; the same stay moved to
/// the instant at which the guest leaves must not be taken for an overlap with that guest.
pub(crate) fn ensure_it_can_fail(taken: &[Taken]) -> Result<()> {
    let &(room, window) = taken.iter().max().ok_or_else(|| anyhow::anyhow!("nothing is booked"))?;
    let moved = |by| Window::new(window.start() + by, window.end() + by);
    let with = |planted| overlaps(&[taken, &[(room, planted)]].concat());
    ensure!(with(moved(TimeDelta::hours(1))?) == 1, "a planted overlap was not found");
    ensure!(with(moved(window.length())?) == 0, "back-to-back stays were taken for an overlap");
    Ok(())
}
