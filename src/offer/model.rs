//! Requests about offers, and what a slot in the ledger is.

use super::OfferSource;
use crate::value::{InvalidInput, TenantId, Window, window::storable};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use tokio_postgres::Row;

/// Most slots in one request.
pub(super) const MOST_SLOTS: usize = 1_000;

/// How often a slot was offered, and when.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct OfferedSlot {
    /// When the slot begins.
    pub starts_at: DateTime<Utc>,
    /// How often it was offered.
    pub offered: i64,
    /// When it was first recorded, by the database's clock.
    pub first_offered_at: DateTime<Utc>,
    /// When it was last recorded, by the database's clock.
    pub last_offered_at: DateTime<Utc>,
}

impl OfferedSlot {
    pub(super) fn from_row(row: &Row) -> Self {
        Self {
            starts_at: row.get("starts_at"),
            offered: row.get("offered"),
            first_offered_at: row.get("first_offered_at"),
            last_offered_at: row.get("last_offered_at"),
        }
    }
}

/// A request to count offers: 1 to 1,000 slots, each as often as it is listed.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct RecordOffers {
    pub(super) tenant: TenantId,
    pub(super) source: OfferSource,
    /// Each slot once, in time order.
    pub(super) slots: Vec<DateTime<Utc>>,
    /// How often, beside it.
    pub(super) offered: Vec<i64>,
}

impl RecordOffers {
    /// Counts the slots that begin at these instants.
    ///
    /// # Errors
    /// [`InvalidInput::OutOfRange`] for no slot or more than 1,000, repetitions included; [`InvalidInput::Instant`] for
    /// one outside 1970 to 2200 or with a fraction of a microsecond.
    pub fn new(
        tenant: TenantId,
        source: OfferSource,
        slots: impl IntoIterator<Item = DateTime<Utc>>,
    ) -> Result<Self, InvalidInput> {
        let mut counts = BTreeMap::<_, i64>::new();
        let mut listed = 0;
        // One more than allowed is enough to know, even of a list without end.
        for slot in slots.into_iter().take(MOST_SLOTS + 1) {
            if !storable(slot) {
                return Err(InvalidInput::Instant);
            }
            *counts.entry(slot).or_default() += 1;
            listed += 1;
        }
        if !(1..=MOST_SLOTS).contains(&listed) {
            return Err(InvalidInput::OutOfRange { field: "slots", min: 1, max: 1_000 });
        }
        let (slots, offered) = counts.into_iter().unzip();
        Ok(Self { tenant, source, slots, offered })
    }
}

/// A request to list offered slots in time order.
#[derive(Clone, Copy, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct ListOffers {
    pub(super) tenant: TenantId,
    pub(super) source: OfferSource,
    pub(super) window: Window,
    pub(super) limit: i64,
}

impl ListOffers {
    /// The first 100 slots that begin in `[start, end)` of a window. The next page begins a microsecond after the last
    /// slot of this one.
    pub const fn new(tenant: TenantId, source: OfferSource, window: Window) -> Self {
        Self { tenant, source, window, limit: 100 }
    }

    /// The size of a page, 1 to 1,000.
    ///
    /// # Errors
    /// [`InvalidInput::OutOfRange`].
    pub fn limit(mut self, rows: u32) -> Result<Self, InvalidInput> {
        self.limit = page(rows)?;
        Ok(self)
    }
}

/// A request to forget slots that have begun.
#[derive(Clone, Copy, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct PruneOffers {
    pub(super) tenant: TenantId,
    pub(super) before: DateTime<Utc>,
    pub(crate) limit: i64,
}

impl PruneOffers {
    /// Forgets at most 1,000 slots that begin before an instant. A slot still to come is never forgotten, whatever the
    /// instant.
    ///
    /// # Errors
    /// [`InvalidInput::Instant`].
    pub fn new(tenant: TenantId, before: DateTime<Utc>) -> Result<Self, InvalidInput> {
        if storable(before) { Ok(Self { tenant, before, limit: 1_000 }) } else { Err(InvalidInput::Instant) }
    }

    /// The most slots in one call, 1 to 1,000.
    ///
    /// # Errors
    /// [`InvalidInput::OutOfRange`].
    pub fn limit(mut self, rows: u32) -> Result<Self, InvalidInput> {
        self.limit = page(rows)?;
        Ok(self)
    }
}

/// The size of a page or batch.
fn page(rows: u32) -> Result<i64, InvalidInput> {
    if (1..=1_000).contains(&rows) {
        Ok(rows.into())
    } else {
        Err(InvalidInput::OutOfRange { field: "limit", min: 1, max: 1_000 })
    }
}
