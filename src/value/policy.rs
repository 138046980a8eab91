//! How long a hold may live, and how many one actor may have.

use super::InvalidInput;
use chrono::TimeDelta;

/// How long a hold lasts from the moment it is placed: 1 second to 30 days, 180 seconds unless said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ttl(TimeDelta);

impl Ttl {
    /// Checks and wraps a length.
    ///
    /// # Errors
    /// [`InvalidInput::Ttl`] outside 1 second to 30 days.
    pub fn new(length: TimeDelta) -> Result<Self, InvalidInput> {
        let valid = length >= TimeDelta::seconds(1) && length <= TimeDelta::days(30);
        if valid { Ok(Self(length)) } else { Err(InvalidInput::Ttl) }
    }

    /// The length.
    #[must_use]
    pub const fn length(&self) -> TimeDelta {
        self.0
    }
}

impl Default for Ttl {
    fn default() -> Self {
        Self(TimeDelta::seconds(180))
    }
}

/// The host's limits on holds, set once on [`crate::Slotkeeper::with_hold_policy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldPolicy {
    longest_life: TimeDelta,
    active_per_actor: Option<u32>,
}

impl HoldPolicy {
    /// No limit per actor; a hold may be extended to 30 days in all.
    #[must_use]
    pub const fn new() -> Self {
        Self { longest_life: TimeDelta::days(30), active_per_actor: None }
    }

    /// The most time from placing to the last instant a hold may be extended to. Fixed for a hold when it is placed.
    /// A hold whose TTL is longer is refused.
    ///
    /// # Errors
    /// [`InvalidInput::HoldLife`] outside 1 second to 400 days.
    pub fn longest_life(mut self, life: TimeDelta) -> Result<Self, InvalidInput> {
        if life < TimeDelta::seconds(1) || life > TimeDelta::days(400) {
            return Err(InvalidInput::HoldLife);
        }
        self.longest_life = life;
        Ok(self)
    }

    /// The most unexpired holds one actor may have at once in a tenant. Counted by the statement that places and kept
    /// by a unique index, so simultaneous calls cannot exceed it. Holds without an actor, and holds placed before the
    /// limit was set, do not count.
    #[must_use]
    pub const fn active_per_actor(mut self, limit: u32) -> Self {
        self.active_per_actor = Some(limit);
        self
    }

    pub(crate) const fn life(&self) -> TimeDelta {
        self.longest_life
    }

    pub(crate) fn limit(&self) -> Option<i64> {
        self.active_per_actor.map(i64::from)
    }
}

impl Default for HoldPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// Microseconds for a statement. Every length here is bounded to days, so nothing is lost.
pub(crate) fn micros(length: TimeDelta) -> i64 {
    length.num_microseconds().unwrap_or(i64::MAX)
}
