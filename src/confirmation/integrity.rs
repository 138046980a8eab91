//! Whether a stored record is still what a decision wrote.

use super::{Operation, Outcome, Snapshot, identity::request_checksum};
use crate::{blocker::Blocker, window::Window};
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

/// Whether a row of `confirmations` can be read, agrees with itself, and holds the request its checksum was made of.
///
/// The row has `operation, checksum, outcome, booking_id, claimed, decided_at, snapshot, key`, in this order.
pub(crate) fn is_consistent(row: &Row) -> Result<bool, tokio_postgres::Error> {
    let (operation, checksum, outcome): (&str, &[u8], &str) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let (booking, claimed): (Option<Uuid>, i32) = (row.try_get(3)?, row.try_get(4)?);
    let (decided_at, raw): (DateTime<Utc>, Value) = (row.try_get(5)?, row.try_get(6)?);
    let key: &str = row.try_get(7)?;
    let request = raw.get("request");
    let same_request = request.is_some_and(|request| request_checksum(operation, key, request) == checksum);
    let Ok(snapshot) = Snapshot::read(raw) else { return Ok(false) };
    let success = matches!(outcome, "confirmed" | "moved");
    let booking_seen = snapshot.booking.as_ref().map(|seen| seen.id.as_uuid());
    Ok(same_request
        && snapshot.operation.as_str() == operation
        && snapshot.at == decided_at
        && Outcome::read(outcome, &snapshot).is_some()
        && belongs(snapshot.operation, outcome)
        && follows(outcome, &snapshot)
        && claimed == if success { places(&snapshot) } else { 0 }
        && (claimed > 0) == success
        && (!success || booking.is_some())
        && (booking_seen.is_none() || booking_seen == booking))
}

/// Whether the outcome follows from what the record says it saw. A move is asked for a booking, and a hold is not there
/// for all: what is not recorded says nothing.
fn follows(outcome: &str, snapshot: &Snapshot) -> bool {
    let Snapshot { request, hold, booking, .. } = snapshot;
    let hold_is = |status: &[&str]| hold.as_ref().is_some_and(|hold| status.contains(&hold.status.as_str()));
    let evidence = match outcome {
        "conflict" => {
            return !snapshot.blockers.is_empty() && snapshot.blockers.iter().all(|b| asked(b, snapshot));
        }
        "confirmed" if snapshot.operation == Operation::Confirm => {
            hold_is(&["active"])
                && request.window.is_none_or(|asked| hold.as_ref().is_some_and(|h| h.window == asked))
        }
        "hold_expired" => hold_is(&["active"]),
        "hold_released" => hold_is(&["released", "replaced"]),
        "hold_consumed" => hold_is(&["consumed"]),
        "stale_revision" => {
            booking.as_ref().is_some_and(|b| request.revision.is_some_and(|revision| revision != b.revision))
        }
        "moved" | "cancelled" => {
            booking.as_ref().is_some_and(|b| request.revision.is_none_or(|revision| revision == b.revision))
        }
        "state_mismatch" => booking.is_some(),
        "erased" => snapshot.erased.is_some() && snapshot.erased_holds.is_some(),
        _ => true,
    };
    evidence && snapshot.blockers.is_empty()
}

/// Whether a blocker is at a place that was asked for. A confirmation asks for what its hold had.
fn asked(blocker: &Blocker, snapshot: &Snapshot) -> bool {
    let buffers = snapshot.request.buffers.unwrap_or_default();
    let within = |window: Window| {
        window.start() - buffers.before() <= blocker.overlap.start()
            && blocker.overlap.end() <= window.end() + buffers.after()
    };
    if snapshot.request.pairs.is_empty() {
        return snapshot.resources.iter().any(|resource| resource.id == blocker.resource);
    }
    snapshot.request.pairs.iter().any(|pair| pair.resource == blocker.resource && within(pair.window))
}

fn places(snapshot: &Snapshot) -> i32 {
    i32::try_from(snapshot.allocations.len()).unwrap_or(i32::MAX)
}

/// Whether the operation can come to this.
fn belongs(operation: Operation, outcome: &str) -> bool {
    let outcomes: &[&str] = match operation {
        Operation::Confirm => &[
            "confirmed",
            "state_mismatch",
            "hold_consumed",
            "hold_released",
            "window_mismatch",
            "hold_expired",
            "conflict",
        ],
        Operation::Book => &["confirmed", "state_mismatch", "window_mismatch", "conflict"],
        Operation::Cancel => &["cancelled", "stale_revision"],
        Operation::Move => &["moved", "state_mismatch", "stale_revision", "conflict"],
        Operation::Erase => &["erased"],
        // This version cannot tell what a newer one decides.
        Operation::Unknown => &[],
    };
    outcomes.contains(&outcome)
}
