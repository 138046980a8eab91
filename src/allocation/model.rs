//! What an allocation is, and what stands in a claim's way.

use crate::{
    claim::Claim,
    ids::{AllocationId, BlackoutId, ClaimId, ResourceId, TenantId},
    window::Window,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use tokio_postgres::Row;

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
}

impl AllocationKind {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "held" => Self::Held,
            "booked" => Self::Booked,
            "blackout" => Self::Blackout,
            _ => Self::External,
        }
    }
}

/// One resource occupied for one window, buffers included.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Allocation {
    /// Its id.
    pub id: AllocationId,
    /// The resource.
    pub resource: ResourceId,
    /// The blocked window: what the customer sees plus the buffers.
    pub window: Window,
    /// Why.
    pub kind: AllocationKind,
    /// What it was claimed for: a hold's id, a blackout's id, or a booking's claim.
    pub claim: ClaimId,
    /// When a hold stops blocking, by the database's clock.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was claimed.
    pub created_at: DateTime<Utc>,
}

impl Allocation {
    pub(crate) fn from_row(row: &Row) -> Self {
        Self {
            id: row.get("id"),
            resource: row.get("resource_id"),
            window: row.get("during"),
            kind: AllocationKind::parse(row.get("kind")),
            claim: row.get("claim_id"),
            expires_at: row.get("expires_at"),
            created_at: row.get("created_at"),
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

/// A request to close resources for a time.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct Block {
    pub(crate) tenant: TenantId,
    pub(crate) id: BlackoutId,
    pub(crate) claim: Claim,
}

impl Block {
    /// Closes what the claim names. The id is minted now: repeating the same request is harmless.
    pub fn new(tenant: TenantId, claim: Claim) -> Self {
        Self { tenant, id: BlackoutId::generate(), claim }
    }

    /// Uses the caller's id.
    pub const fn with_id(mut self, id: BlackoutId) -> Self {
        self.id = id;
        self
    }

    /// The blackout's id.
    #[must_use]
    pub const fn id(&self) -> BlackoutId {
        self.id
    }
}
