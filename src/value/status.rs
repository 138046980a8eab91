//! Where a booking stands.

use serde::{Deserialize, Serialize};

/// Where a booking stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BookingStatus {
    /// Waits for approval; holds no place.
    Pending,
    /// Holds its places.
    Confirmed,
    /// Gave them up.
    Cancelled,
    /// Written by a newer version of the library, which this one cannot tell: it reads as this and is never written.
    #[serde(other)]
    Unknown,
}

impl BookingStatus {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "pending" => Self::Pending,
            "confirmed" => Self::Confirmed,
            "cancelled" => Self::Cancelled,
            _ => Self::Unknown,
        }
    }
}
