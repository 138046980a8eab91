//! Whether a stored record is still what a decision wrote.
//!
//! The checksum binds operation, key and request. The outcome has no checksum: it is decided once more, from what the
//! record says it saw, and compared. Whoever changes what was seen *and* the outcome so that both fit again is not
//! found here; a booking that does not agree with such a record is, by the other checks of the audit.

use super::{Operation, Snapshot, SnapshotError, identity::request_checksum, snapshot::AllocationSnapshot};
use crate::{
    schema::SCHEMA_VERSION,
    value::{Blocker, BookingStatus, Buffers, Window},
};
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

/// What a row of `confirmations` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Integrity {
    /// What a decision wrote.
    Consistent,
    /// It says that a newer version of the library wrote it, and its checksum fits: no more can be told.
    Newer,
    /// Not what any decision wrote.
    Damaged,
}

/// The columns of a record beside its snapshot.
struct Columns<'a> {
    operation: &'a str,
    outcome: &'a str,
    booking: Option<Uuid>,
    claimed: i32,
    decided_at: DateTime<Utc>,
}

/// Judges a row of `operation, checksum, outcome, booking_id, claimed, decided_at, snapshot, key`, in this order.
pub(crate) fn integrity(row: &Row) -> Result<Integrity, tokio_postgres::Error> {
    let columns = Columns {
        operation: row.try_get(0)?,
        outcome: row.try_get(2)?,
        booking: row.try_get(3)?,
        claimed: row.try_get(4)?,
        decided_at: row.try_get(5)?,
    };
    let (checksum, raw, key): (&[u8], Value, &str) = (row.try_get(1)?, row.try_get(6)?, row.try_get(7)?);
    let bound = |request| request_checksum(columns.operation, key, request) == checksum;
    if !raw.get("request").is_some_and(bound) {
        return Ok(Integrity::Damaged);
    }
    Ok(match Snapshot::read(raw) {
        Err(SnapshotError::Newer { .. }) => Integrity::Newer,
        Ok(snapshot) if snapshot.schema > SCHEMA_VERSION => Integrity::Newer,
        Ok(snapshot) if agrees(&columns, &snapshot) => Integrity::Consistent,
        _ => Integrity::Damaged,
    })
}

fn agrees(columns: &Columns<'_>, snapshot: &Snapshot) -> bool {
    let Columns { outcome, booking, .. } = *columns;
    let request = &snapshot.request;
    // A confirmation and a move claim; what a cancellation lists, it gives up.
    let claimed = if matches!(outcome, "confirmed" | "moved") { snapshot.allocations.len() } else { 0 };
    let has_booking = snapshot.booking.is_some() || outcome == "confirmed";
    let named = request.booking.map(|id| id.as_uuid());
    snapshot.operation.as_str() == columns.operation
        && snapshot.at == columns.decided_at
        && has_its_facts(snapshot)
        && decided(snapshot) == Some(outcome)
        && blockers_fit(snapshot, outcome)
        && places_fit(snapshot, outcome)
        && i32::try_from(claimed).is_ok_and(|claimed| claimed == columns.claimed)
        && booking.is_some() == has_booking
        && (booking.is_none() || named.is_none() || named == booking)
}

/// Whether the record has what its statement writes: the hold and the booking that the request names, and no other.
fn has_its_facts(snapshot: &Snapshot) -> bool {
    let Snapshot { operation, request, hold, booking, .. } = snapshot;
    // A booking that must not exist is there only where it does.
    let must_exist =
        matches!(operation, Operation::Move | Operation::Cancel) || request.pending == Some(true);
    let counted = snapshot.erased.is_some() && snapshot.erased_holds.is_some();
    let booking_fits = match booking {
        Some(seen) => request.booking == Some(seen.id),
        None => !must_exist,
    };
    booking_fits
        && (*operation == Operation::Confirm) == hold.is_some()
        && hold.as_ref().map(|seen| seen.id) == request.hold
        && (*operation == Operation::Erase) == counted
}

/// The outcome, from what the record says was seen: the first that applies, in the order of the
/// [module's table](crate::confirmation), which is that of the `CASE` in each statement.
fn decided(snapshot: &Snapshot) -> Option<&'static str> {
    let done = match snapshot.operation {
        Operation::Confirm | Operation::Book => "confirmed",
        Operation::Move => "moved",
        Operation::Cancel => "cancelled",
        Operation::Erase => "erased",
        Operation::Unknown => return None,
    };
    let hold =
        |status: &[&str]| snapshot.hold.as_ref().is_some_and(|hold| status.contains(&hold.status.as_str()));
    let known = snapshot.hold.is_none() || hold(&["active", "consumed", "released", "replaced"]);
    let order = [
        (state_differs(snapshot), "state_mismatch"),
        (hold(&["consumed"]), "hold_consumed"),
        (hold(&["released", "replaced"]), "hold_released"),
        (window_differs(snapshot), "window_mismatch"),
        (revision_differs(snapshot), "stale_revision"),
        (hold_is_over(snapshot), "hold_expired"),
        (!snapshot.blockers.is_empty(), "conflict"),
        (true, done),
    ];
    let outcome = order.into_iter().find_map(|(applies, outcome)| applies.then_some(outcome));
    // Nothing is decided about a hold in a state that only a newer version knows, but that the booking's is wrong.
    outcome.filter(|outcome| known || *outcome == "state_mismatch")
}

/// A booking is confirmed once: it must be pending or, under an id of the caller's, not exist.
fn state_differs(snapshot: &Snapshot) -> bool {
    let Some(booking) = &snapshot.booking else { return false };
    match snapshot.operation {
        Operation::Confirm | Operation::Book => {
            snapshot.request.pending != Some(true) || booking.status != BookingStatus::Pending
        }
        Operation::Move => booking.status != BookingStatus::Confirmed,
        _ => false,
    }
}

fn window_differs(snapshot: &Snapshot) -> bool {
    let Snapshot { request, hold, booking, .. } = snapshot;
    if matches!(snapshot.operation, Operation::Move | Operation::Cancel) {
        return false;
    }
    let hold = hold.as_ref().map(|hold| hold.window);
    // The hold's window is what becomes the booking's; without a hold, the one asked for is.
    let Some(becomes) = hold.or(request.window) else { return false };
    request.window.is_some_and(|asked| asked != becomes)
        || booking.as_ref().is_some_and(|booking| booking.window != becomes)
}

fn revision_differs(snapshot: &Snapshot) -> bool {
    let Snapshot { request, booking, .. } = snapshot;
    booking.as_ref().is_some_and(|seen| request.revision.is_some_and(|revision| revision != seen.revision))
}

/// Its time was over, or a place of it was swept or taken over.
fn hold_is_over(snapshot: &Snapshot) -> bool {
    let Snapshot { request, hold, allocations, .. } = snapshot;
    request.if_still_free != Some(true)
        && hold.as_ref().is_some_and(|hold| {
            hold.expires_at <= snapshot.at || usize::try_from(hold.requested) != Ok(allocations.len())
        })
}

/// A conflict has blockers, each at a place that was asked for; nothing else has any.
fn blockers_fit(snapshot: &Snapshot, outcome: &str) -> bool {
    (outcome == "conflict") != snapshot.blockers.is_empty()
        && snapshot.blockers.iter().all(|blocker| was_asked_for(blocker, snapshot))
}

/// A confirmation asks for the places of its hold.
fn was_asked_for(blocker: &Blocker, snapshot: &Snapshot) -> bool {
    let within = |(resource, start, end)| {
        resource == blocker.resource && start <= blocker.overlap.start() && blocker.overlap.end() <= end
    };
    if snapshot.operation == Operation::Confirm {
        let place = |place: &AllocationSnapshot| (place.resource, place.window.start(), place.window.end());
        return snapshot.allocations.iter().map(place).any(within);
    }
    let (pairs, buffers) = (&snapshot.request.pairs, snapshot.request.buffers.unwrap_or_default());
    pairs.iter().any(|pair| {
        let (start, end) = around(pair.window, buffers);
        within((pair.resource, start, end))
    })
}

/// The places a decision lists: those asked for if it got them, all of the hold's if it got or wanted those.
fn places_fit(snapshot: &Snapshot, outcome: &str) -> bool {
    let Snapshot { operation, request, hold, allocations, .. } = snapshot;
    match operation {
        Operation::Confirm if matches!(outcome, "confirmed" | "conflict") => {
            hold.as_ref().is_some_and(|hold| usize::try_from(hold.requested) == Ok(allocations.len()))
        }
        Operation::Book | Operation::Move if matches!(outcome, "confirmed" | "moved") => {
            let buffers = request.buffers.unwrap_or_default();
            // Both are in the order of resource and start.
            request.pairs.len() == allocations.len()
                && request.pairs.iter().zip(allocations).all(|(pair, place)| {
                    let place_is = (place.window.start(), place.window.end());
                    pair.resource == place.resource && around(pair.window, buffers) == place_is
                })
        }
        Operation::Book | Operation::Move | Operation::Erase => allocations.is_empty(),
        _ => true,
    }
}

/// A window with its buffers. As two instants: of a damaged record it may be no window.
fn around(window: Window, buffers: Buffers) -> (DateTime<Utc>, DateTime<Utc>) {
    (window.start() - buffers.before(), window.end() + buffers.after())
}
