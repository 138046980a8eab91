//! The evidence kept with a decision: typed, versioned, ids and references only.

use super::{Operation, RecordedRequest};
use crate::value::{AllocationId, Blocker, BookingId, BookingStatus, HoldId, ResourceId, Window};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The version written today. Old ones stay readable for ever: a new version adds a reader, never edits one. An
/// operation or outcome that this release does not know comes with a new version, or an older release would take it for
/// damage.
pub(crate) const VERSION: u64 = 1;

/// What a decision saw and did, as it was then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The version of this format.
    pub v: u64,
    /// The version of the database schema.
    pub schema: i32,
    /// What was asked.
    pub operation: Operation,
    /// The request, without anything personal.
    pub request: RecordedRequest,
    /// When it was decided: the start of the statement, by the database's clock.
    pub at: DateTime<Utc>,
    /// The hold, as it was before.
    #[serde(default)]
    pub hold: Option<HoldSnapshot>,
    /// The booking, as it was before.
    #[serde(default)]
    pub booking: Option<BookingSnapshot>,
    /// The resources asked for, with their capacities.
    #[serde(default, deserialize_with = "or_empty")]
    pub resources: Vec<ResourceSnapshot>,
    /// The places taken, or given up by a cancellation. Of a refused confirmation the hold's: all of them if somebody
    /// else occupies one, otherwise those it still had.
    #[serde(default, deserialize_with = "or_empty")]
    pub allocations: Vec<AllocationSnapshot>,
    /// What stood in the way, at most 64.
    #[serde(default, deserialize_with = "or_empty")]
    pub blockers: Vec<Blocker>,
    /// Bookings an erasure cleared.
    #[serde(default)]
    pub erased: Option<u64>,
    /// Holds an erasure cleared.
    #[serde(default)]
    pub erased_holds: Option<u64>,
}

/// A hold at the moment of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HoldSnapshot {
    /// Its id.
    pub id: HoldId,
    /// `active`, `consumed`, `released` or `replaced`.
    pub status: String,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
    /// When its time was over.
    pub expires_at: DateTime<Utc>,
    /// How many places it claimed.
    pub requested: i32,
    /// What the customer saw.
    pub window: Window,
}

/// A booking at the moment of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BookingSnapshot {
    /// Its id.
    pub id: BookingId,
    /// Its status before.
    pub status: BookingStatus,
    /// Its revision before.
    pub revision: i32,
    /// Its window before.
    pub window: Window,
}

/// A resource at the moment of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResourceSnapshot {
    /// Its id.
    pub id: ResourceId,
    /// Its kind.
    pub kind: String,
    /// Its largest party.
    pub capacity: i32,
    /// Its smallest party.
    pub min_party: i32,
}

/// A place taken or given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AllocationSnapshot {
    /// The allocation.
    pub id: AllocationId,
    /// The resource.
    pub resource: ResourceId,
    /// The blocked window, buffers included.
    pub window: Window,
}

/// A stored snapshot that cannot be read. The raw JSON is kept, so nothing is lost.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Written by a newer version of the library.
    #[error("the snapshot has version {found}, newer than this library reads")]
    Newer {
        /// Its version.
        found: u64,
        /// As stored.
        raw: Value,
    },
    /// Not a snapshot: somebody changed the row.
    #[error("the snapshot is damaged")]
    Damaged {
        /// As stored.
        raw: Value,
    },
}

impl Snapshot {
    /// Reads a stored snapshot of any version.
    ///
    /// # Errors
    /// [`SnapshotError::Newer`] or [`SnapshotError::Damaged`], both with the raw JSON.
    pub fn read(raw: Value) -> Result<Self, SnapshotError> {
        match raw.get("v").and_then(Value::as_u64) {
            Some(VERSION) => Self::deserialize(&raw).map_err(|_| SnapshotError::Damaged { raw }),
            Some(found) if found > VERSION => Err(SnapshotError::Newer { found, raw }),
            _ => Err(SnapshotError::Damaged { raw }),
        }
    }
}

/// The statements write null where there is nothing to list.
fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}
