//! What an allocation is, and requests to close resources.

use crate::value::{AllocationId, AllocationKind, BlackoutId, Claim, ClaimId, ResourceId, TenantId, Window};
use chrono::{DateTime, Utc};
use tokio_postgres::Row;

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
