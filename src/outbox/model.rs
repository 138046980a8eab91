//! What an event is.

use crate::value::EventId;
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

/// One event.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// Its id; for a recorded decision, the confirmation's.
    pub id: EventId,
    /// Its name, see the module's table.
    pub event: String,
    /// What it is about.
    pub subject: Uuid,
    /// Ids and windows.
    pub body: Value,
    /// When it was written, by the database's clock.
    pub created_at: DateTime<Utc>,
}

impl Event {
    pub(crate) fn from_row(row: &Row) -> Self {
        Self {
            id: row.get("id"),
            event: row.get("event"),
            subject: row.get("subject_id"),
            body: row.get("body"),
            created_at: row.get("created_at"),
        }
    }
}
