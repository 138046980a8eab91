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
}

impl BookingStatus {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "pending" => Self::Pending,
            "confirmed" => Self::Confirmed,
            _ => Self::Cancelled,
        }
    }
}
