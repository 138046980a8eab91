//! Whether a stored record is still what a decision wrote.

use super::{Operation, Outcome, Snapshot};
use crate::json::canonical;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use uuid::Uuid;

/// Whether a row of `confirmations` can be read, agrees with itself, and holds the request its checksum was made of.
///
/// The row has `operation, checksum, outcome, booking_id, claimed, decided_at, snapshot`, in this order.
pub(crate) fn is_sound(row: &Row) -> Result<bool, tokio_postgres::Error> {
    let (operation, checksum, outcome): (&str, &[u8], &str) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let (booking, claimed): (Option<Uuid>, i32) = (row.try_get(3)?, row.try_get(4)?);
    let (decided_at, raw): (DateTime<Utc>, Value) = (row.try_get(5)?, row.try_get(6)?);
    let same_request = raw.get("request").is_some_and(|request| {
        request_checksum(&json!({ "operation": operation, "request": request })) == checksum
    });
    let Ok(snapshot) = Snapshot::read(raw) else { return Ok(false) };
    let success = matches!(outcome, "confirmed" | "moved");
    let booking_seen = snapshot.booking.as_ref().map(|seen| seen.id.as_uuid());
    Ok(same_request
        && snapshot.operation.as_str() == operation
        && snapshot.at == decided_at
        && Outcome::read(outcome, &snapshot).is_some()
        && belongs(snapshot.operation, outcome)
        && claimed == if success { places(&snapshot) } else { 0 }
        && (claimed > 0) == success
        && (!success || booking.is_some())
        && (booking_seen.is_none() || booking_seen == booking))
}

fn request_checksum(body: &Value) -> Vec<u8> {
    let mut text = String::new();
    canonical(body, &mut text);
    Sha256::digest(text).to_vec()
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
    };
    outcomes.contains(&outcome)
}
