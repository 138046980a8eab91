//! One batch, and what came of it.

use super::{Age, policy::batch};
use crate::value::{InvalidInput, TenantId};
use std::fmt;
use uuid::Uuid;

/// A request for one batch of one kind of row, in the order of their ids.
#[derive(Clone, Copy, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct RetentionBatch {
    pub(super) tenant: TenantId,
    pub(super) older_than: Age,
    pub(super) after: Option<Uuid>,
    pub(super) limit: i64,
}

impl RetentionBatch {
    /// The first 500 rows of a tenant that have been over for that long.
    pub const fn new(tenant: TenantId, older_than: Age) -> Self {
        Self { tenant, older_than, after: None, limit: 500 }
    }

    /// The most rows, 1 to 1,000.
    ///
    /// # Errors
    /// [`InvalidInput::OutOfRange`].
    pub fn limit(mut self, rows: u32) -> Result<Self, InvalidInput> {
        self.limit = batch(rows)?;
        Ok(self)
    }

    /// Begins after this id: the [`next`](Retained::next) of the batch before, so that rows set aside are not met
    /// again.
    pub const fn after(mut self, id: Uuid) -> Self {
        self.after = Some(id);
        self
    }
}

/// What a batch, or a run of them, did with one kind of row.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Retained {
    /// How many rows left their table.
    pub rows: u64,
    /// The ids of rows that had to stay, because somebody refers to them or because the archive has their id already.
    pub set_aside: Vec<Uuid>,
    /// Where the next batch begins; `None` if this was the last.
    pub next: Option<Uuid>,
}

impl Retained {
    pub(super) fn add(&mut self, batch: Self) {
        self.rows += batch.rows;
        self.set_aside.extend(batch.set_aside);
        self.next = batch.next;
    }
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct RetentionReport {
    /// Holds forgotten.
    pub holds: Retained,
    /// Allocations archived.
    pub allocations: Retained,
    /// Bookings forgotten.
    pub bookings: Retained,
    /// Decisions forgotten.
    pub confirmations: Retained,
    /// Offered slots forgotten.
    pub offers: u64,
}

impl fmt::Display for RetentionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            ("holds", &self.holds),
            ("allocations", &self.allocations),
            ("bookings", &self.bookings),
            ("confirmations", &self.confirmations),
        ];
        for (kind, done) in kinds {
            writeln!(f, "{kind}: {} done, {} set aside", done.rows, done.set_aside.len())?;
        }
        write!(f, "offers: {} done", self.offers)
    }
}
