//! Requests about holds, and what a hold is.

use crate::value::{
    Actor, Buffers, Claim, HoldId, InvalidInput, Pair, Reference, ResourceId, TenantId, Ttl, Window,
    window::storable,
};
use chrono::{DateTime, TimeDelta, Utc};
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

/// What a sweep did. Call again while `holds` equals the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Holds that have no row left to release.
    pub holds: u64,
    /// Allocations released.
    pub allocations: u64,
}
