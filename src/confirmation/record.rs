//! A decision as it is stored.

use super::{Operation, Outcome, Snapshot, SnapshotError};
use crate::{
    error::Result,
    value::{BookingId, ConfirmationId, IdempotencyKey},
};
use chrono::{DateTime, Utc};
use tokio_postgres::Row;

/// A stored record.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Confirmation {
    /// Its id.
    pub id: ConfirmationId,
    /// What was asked.
    pub operation: Operation,
    /// Under which key.
    pub key: IdempotencyKey,
    /// The outcome's stable name; see [`Outcome::code`].
    pub outcome: String,
    /// The booking that was made, changed or looked at.
    pub booking: Option<BookingId>,
    /// When, by the database's clock.
    pub decided_at: DateTime<Utc>,
    /// What the decision saw and did.
    pub snapshot: Result<Snapshot, SnapshotError>,
}

impl Confirmation {
    pub(crate) fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get("id"),
            operation: Operation::parse(row.get("operation")),
            key: row.get("key"),
            outcome: row.get("outcome"),
            booking: row.get("booking_id"),
            decided_at: row.get("decided_at"),
            snapshot: Snapshot::read(row.get("snapshot")),
        })
    }

    /// The outcome, typed.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.snapshot.as_ref().ok().and_then(|snapshot| Outcome::read(&self.outcome, snapshot))
    }
}
