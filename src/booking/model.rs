//! What a booking is.

use super::BookingDetails;
use crate::value::{
    BookingId, BookingStatus, Buffers, ClaimId, ConfirmationId, JsonObject, Price, TimeZoneName, Window,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;

/// A booking as it is now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// Where it stands.
    pub status: BookingStatus,
    /// Counts its changes, from 1. A move names the revision it was decided on.
    pub revision: i32,
    /// What the customer sees: from the first start to the last end, without buffers.
    pub window: Window,
    /// Time kept free around each window.
    pub buffers: Buffers,
    /// The claim its places are found under, once confirmed.
    pub claim: Option<ClaimId>,
    /// The decision that confirmed it.
    pub confirmation: Option<ConfirmationId>,
    /// What it carries for the host.
    pub details: BookingDetails,
    /// When it was written, by the database's clock.
    pub created_at: DateTime<Utc>,
    /// When it was last changed, by the database's clock.
    pub updated_at: DateTime<Utc>,
}

impl Booking {
    pub(crate) fn from_row(row: &Row) -> Self {
        let price: (Option<i64>, Option<&str>) = (row.get("price_minor"), row.get("currency"));
        let price = match price {
            (Some(minor), Some(currency)) => Price::new(minor, currency).ok(),
            _ => None,
        };
        let time_zone: Option<&str> = row.get("time_zone");
        Self {
            id: row.get("id"),
            status: BookingStatus::parse(row.get("status")),
            revision: row.get("revision"),
            window: row.get("during"),
            buffers: Buffers::stored(row.get("buffer_before_seconds"), row.get("buffer_after_seconds")),
            claim: row.get("claim_id"),
            confirmation: row.get("confirmation_id"),
            details: BookingDetails {
                reference: row.get("reference"),
                customer: row.get("customer_ref"),
                price,
                time_zone: time_zone.and_then(|name| TimeZoneName::new(name).ok()),
                metadata: JsonObject::stored(row.get("metadata")),
            },
            created_at: row.get("created_at"),
            updated_at: row.get("updated_at"),
        }
    }
}

/// One step in a booking's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BookingRevision {
    /// Its number, from 1.
    pub revision: i32,
    /// What the booking became.
    pub status: BookingStatus,
    /// Its window from then on.
    pub window: Window,
    /// The decision behind it; a pending booking has none yet.
    pub confirmation: Option<ConfirmationId>,
    /// When, by the database's clock.
    pub changed_at: DateTime<Utc>,
}
