//! Requests about holds.

use crate::value::{Actor, Claim, HoldId, InvalidInput, Reference, TenantId, Ttl, window::storable};
use chrono::{DateTime, TimeDelta, Utc};

/// A request to hold a claim.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct PlaceHold {
    pub(crate) tenant: TenantId,
    pub(crate) id: HoldId,
    pub(crate) claim: Claim,
    pub(crate) ttl: Ttl,
    pub(crate) actor: Option<Actor>,
    pub(crate) reference: Option<Reference>,
}

impl PlaceHold {
    /// Holds what the claim names, for 180 seconds unless said. The id is minted now: keep the request and repeat it if
    /// the reply is lost.
    pub fn new(tenant: TenantId, claim: Claim) -> Self {
        Self { tenant, id: HoldId::generate(), claim, ttl: Ttl::default(), actor: None, reference: None }
    }

    /// Uses the caller's id.
    pub const fn with_id(mut self, id: HoldId) -> Self {
        self.id = id;
        self
    }

    /// How long it lasts.
    pub const fn ttl(mut self, ttl: Ttl) -> Self {
        self.ttl = ttl;
        self
    }

    /// Who places it: from then on only this actor may extend, release or replace it.
    pub fn actor(mut self, actor: Actor) -> Self {
        self.actor = Some(actor);
        self
    }

    /// The host's own number, unique among the tenant's holds.
    pub fn reference(mut self, reference: Reference) -> Self {
        self.reference = Some(reference);
        self
    }

    /// The hold's id.
    #[must_use]
    pub const fn id(&self) -> HoldId {
        self.id
    }
}

/// A request to exchange one's own hold for another: the old one stays if the new one cannot be had.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct ReplaceHold {
    pub(crate) old: HoldId,
    pub(crate) new: PlaceHold,
}

impl ReplaceHold {
    /// Exchanges `old` for `new`. The new request's actor must be the old hold's. A limit per actor is checked only if
    /// the old hold has expired: otherwise the count does not grow.
    pub const fn new(old: HoldId, new: PlaceHold) -> Self {
        Self { old, new }
    }
}

/// A request to move a hold's expiry to an absolute instant.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct ExtendHold {
    pub(crate) tenant: TenantId,
    pub(crate) hold: HoldId,
    pub(crate) until: DateTime<Utc>,
    pub(crate) actor: Option<Actor>,
}

impl ExtendHold {
    /// Extends to `until`. An absolute instant, so that repeating the request adds nothing.
    ///
    /// # Errors
    /// [`InvalidInput::Instant`] if `until` is no whole microsecond between 1970 and 2200.
    pub fn new(tenant: TenantId, hold: HoldId, until: DateTime<Utc>) -> Result<Self, InvalidInput> {
        if !storable(until) {
            return Err(InvalidInput::Instant);
        }
        Ok(Self { tenant, hold, until, actor: None })
    }

    /// The hold's actor, if it was placed by one.
    pub fn actor(mut self, actor: Actor) -> Self {
        self.actor = Some(actor);
        self
    }
}

/// A request to let one's own hold go.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct ReleaseHold {
    pub(crate) tenant: TenantId,
    pub(crate) hold: HoldId,
    pub(crate) actor: Option<Actor>,
}

impl ReleaseHold {
    /// Releases a hold.
    pub const fn new(tenant: TenantId, hold: HoldId) -> Self {
        Self { tenant, hold, actor: None }
    }

    /// The hold's actor, if it was placed by one.
    pub fn actor(mut self, actor: Actor) -> Self {
        self.actor = Some(actor);
        self
    }
}

/// A request to release the rows of expired holds: hygiene, never needed for correctness.
#[derive(Clone, Copy, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct SweepHolds {
    pub(crate) tenant: TenantId,
    pub(crate) limit: u32,
    pub(crate) looking_back: TimeDelta,
}

impl SweepHolds {
    /// Sweeps at most 1,000 holds that expired within the last 31 days.
    pub const fn new(tenant: TenantId) -> Self {
        Self { tenant, limit: 1_000, looking_back: TimeDelta::days(31) }
    }

    /// The most holds in one call.
    pub const fn limit(mut self, holds: u32) -> Self {
        self.limit = holds;
        self
    }

    /// How far back to look. A sweeper that runs every minute needs no more than an hour, and then reads little.
    pub const fn looking_back(mut self, length: TimeDelta) -> Self {
        self.looking_back = length;
        self
    }
}
