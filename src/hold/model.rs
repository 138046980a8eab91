//! What a hold is.

use crate::value::{Actor, Buffers, HoldId, Pair, Reference, ResourceId, Window};
use chrono::{DateTime, Utc};
use tokio_postgres::Row;

/// Where a hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HoldStatus {
    /// It keeps its places.
    Active,
    /// Its time was over when the row was read.
    Expired,
    /// It became a booking.
    Consumed,
    /// Its owner let it go.
    Released,
    /// Its owner exchanged it for another.
    Replaced,
    /// Written by a newer version of the library, which this one cannot tell: it reads as this and is never written.
    Unknown,
}

/// A claim with a TTL.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// Where it stands.
    pub status: HoldStatus,
    /// What the customer sees: from the first start to the last end, without buffers.
    pub window: Window,
    /// Time kept free around each window.
    pub buffers: Buffers,
    /// The places, by resource and time, without buffers.
    pub pairs: Vec<Pair>,
    /// When it was placed, by the database's clock.
    pub placed_at: DateTime<Utc>,
    /// When it stops blocking, by the database's clock.
    pub expires_at: DateTime<Utc>,
    /// Who placed it.
    pub actor: Option<Actor>,
    /// The host's own number.
    pub reference: Option<Reference>,
}

impl Hold {
    pub(crate) fn from_row(row: &Row) -> Self {
        let buffers = Buffers::stored(row.get("buffer_before_seconds"), row.get("buffer_after_seconds"));
        let resources: Vec<ResourceId> = row.get("resources");
        let blocked: Vec<Window> = row.get("blocked");
        // The buffers were added to a valid window, so taking them off gives one back.
        let visible = |blocked: Window| {
            Window::new(blocked.start() + buffers.before(), blocked.end() - buffers.after()).ok()
        };
        let pair = |(resource, blocked)| visible(blocked).map(|window| Pair { resource, window });
        let status = match (row.get("status"), row.get("expired")) {
            ("active", true) => HoldStatus::Expired,
            ("active", false) => HoldStatus::Active,
            ("consumed", _) => HoldStatus::Consumed,
            ("replaced", _) => HoldStatus::Replaced,
            ("released", _) => HoldStatus::Released,
            _ => HoldStatus::Unknown,
        };
        Self {
            id: row.get("id"),
            status,
            window: row.get("during"),
            buffers,
            pairs: resources.into_iter().zip(blocked).filter_map(pair).collect(),
            placed_at: row.get("placed_at"),
            expires_at: row.get("expires_at"),
            actor: row.get("actor"),
            reference: row.get("reference"),
        }
    }
}

/// What a sweep did. Call again while `holds` equals the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Holds that have no row left to release.
    pub holds: u64,
    /// Allocations released.
    pub allocations: u64,
}
