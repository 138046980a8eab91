//! What stands in a claim's way, and why a resource is occupied.

use super::{AllocationId, ResourceId, Window};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a resource is occupied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AllocationKind {
    /// A hold, until it expires.
    Held,
    /// A booking.
    Booked,
    /// Closed by the host.
    Blackout,
    /// Busy in an external calendar.
    External,
    /// Written by a newer version of the library, which this one cannot tell: it reads as this and is never written.
    #[serde(other)]
    Unknown,
}

impl AllocationKind {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "held" => Self::Held,
            "booked" => Self::Booked,
            "blackout" => Self::Blackout,
            "external" => Self::External,
            _ => Self::Unknown,
        }
    }
}

/// An allocation in the way of a claim, named so that a host can explain a refusal.
///
/// It belongs to somebody else: [`Blocker::redacted`] before showing it to a customer. `Debug` shows only the kind.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Blocker {
    /// The allocation; `None` once redacted.
    pub allocation: Option<AllocationId>,
    /// The resource, which the caller asked for.
    pub resource: ResourceId,
    /// Why it is occupied; `None` once redacted.
    pub kind: Option<AllocationKind>,
    /// The part of the caller's own window that is taken.
    pub overlap: Window,
}

impl Blocker {
    /// What may be shown to a customer: which of the resources they asked for is taken, and when.
    #[must_use]
    pub const fn redacted(&self) -> Self {
        Self { allocation: None, kind: None, resource: self.resource, overlap: self.overlap }
    }
}

impl fmt::Debug for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blocker({:?})", self.kind)
    }
}
